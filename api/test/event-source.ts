/** Reads an event stream as the HTML standard says (section 9.2.6), and keeps what came, comments too. */
import { eventually } from './eventually.ts'

interface StreamEvent {
  readonly id: string
  readonly event: string
  readonly data: { readonly status: string; readonly progress?: number }
}

export interface OpenStream {
  readonly response: Response
  readonly events: readonly StreamEvent[]
  comments(): number
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>
  /** Waits for an event that looks so. */
  until(check: (event: StreamEvent) => boolean): Promise<void>
  /** The client goes away. */
  leave(): void
}

export async function openStream(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  const controller = new AbortController()
  const response = await fetch(url, { headers, signal: controller.signal })
  const events: StreamEvent[] = []
  let comments = 0
  async function read(): Promise<void> {
    let text = ''
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (text + part).split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(':')) comments += 1
        else events.push(parseEvent(block))
      }
    }
    if (text !== '') throw new Error(`The stream ended within an event: ${text}`)
  }
  const ended = read()
  ended.catch(() => {}) // a client that left does not wait for it
  return {
    response,
    events,
    comments: () => comments,
    ended,
    until: (check) =>
      eventually(() => {
        if (!events.some(check)) throw new Error(`Not among ${JSON.stringify(events)}`)
      }),
    leave: () => controller.abort(),
  }
}

function parseEvent(block: string): StreamEvent {
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
  const event = fields.get('event') ?? 'message'
  return { id: fields.get('id') ?? '', event, data: JSON.parse(fields.get('data') ?? '') }
}
