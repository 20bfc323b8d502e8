/** HTTP by hand over a TCP socket: for requests that no client library would send, and answers read as they come. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** By their lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export interface RawConnection {
  readonly socket: Socket
  /** Resolves when the bytes are handed to the system; also if the other side is gone. */
  send(bytes: string | Uint8Array): Promise<void>
  /** The next answer on this connection; undefined if the connection ends before it is whole. */
  answer(): Promise<RawAnswer | undefined>
  /** Everything that came and was not yet read as an answer. */
  rest(): string
  /** Resolves when the other side has ended the connection. */
  readonly closed: Promise<void>
}

/** The caller destroys the socket, or waits for its end. */
export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const closed = new Promise<void>((resolve) => {
    socket.once('end', () => resolve())
    socket.once('close', () => resolve())
  })
  let received = Buffer.alloc(0)
  let ended = false
  let wake = () => {}
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
    wake()
  })
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      ended = true
      wake()
    })
  }
  function takeAnswer(): RawAnswer | undefined {
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd < 0) return undefined
    const [first = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n')
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const end = headEnd + 4 + Number(headers.get('content-length') ?? 0)
    if (received.length < end) return undefined
    const body = received.toString('utf8', headEnd + 4, end)
    received = received.subarray(end)
    return { status: Number(first.split(' ')[1]), headers, body }
  }
  return {
    socket,
    closed,
    rest: () => received.toString('latin1'),
    send: (bytes) =>
      new Promise((resolve) => {
        if (socket.writable) socket.write(bytes, () => resolve())
        else resolve()
      }),
    async answer() {
      for (;;) {
        const answer = takeAnswer()
        if (answer !== undefined || ended) return answer
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** Sends one request and returns its answer; the connection is closed. */
export async function exchange(port: number, request: string | Uint8Array): Promise<RawAnswer | undefined> {
  const connection = await connectRaw(port)
  await connection.send(request)
  const answer = await connection.answer()
  connection.socket.destroy()
  return answer
}

/** The head of a request with the usual Host. */
export function head(port: number, line: string, headers: Record<string, string | number> = {}): string {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers })
  return `${line} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}
