/** A crowd of clients that all wait for one recording, each on a connection of its own, and note when they were told. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Crowd {
  /** When each had been told, by the clock of the computer, in ms; resolves when all were. */
  readonly told: Promise<readonly number[]>
  leave(): void
}

/**
 * Resolves when every request has been sent. Plain sockets, so that the crowd costs little of the time that it measures.
 *
 * @param headers beside Host.
 * @param isTold whether an answer's text so far tells that the recording is ready. @throws in `told` for one that ends before.
 */
export async function gatherCrowd(
  url: string,
  count: number,
  headers: Readonly<Record<string, string>>,
  isTold: (answer: string) => boolean,
): Promise<Crowd> {
  const { host, hostname, port, pathname, search } = new URL(url)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = `GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`
  const sockets: Socket[] = []
  const told: Promise<number>[] = []
  for (let index = 0; index < count; index += 1) {
    const socket = connect(Number(port), hostname)
    sockets.push(socket)
    await once(socket, 'connect')
    told.push(toldAt(socket, isTold))
    socket.write(request)
  }
  const all = Promise.all(told)
  all.catch(() => undefined) // whoever awaits it hears of it
  return {
    told: all,
    leave() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function toldAt(socket: Socket, isTold: (answer: string) => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      if (answer.length < KEPT_CHARACTERS) answer += text
      if (isTold(answer)) resolve(Date.now())
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`The answer ended before it told: ${answer.slice(0, 300)}`)))
  })
}

const KEPT_CHARACTERS = 100_000
