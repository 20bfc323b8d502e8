/** Reads and sends the requests of a `.http` file: as much of the editors' syntax as examples/wavemill.http uses. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface HttpFile {
  /** The folder that `< ./file` lines begin at. */
  readonly folder: string
  readonly variables: ReadonlyMap<string, string>
  readonly requests: readonly HttpRequest[]
}

/** One request as it is written, its `{{placeholders}}` not yet filled. */
interface HttpRequest {
  readonly title: string
  /** What later requests call its answer. */
  readonly name: string | undefined
  /** From `# expect: 200` or, for one that is sent again while it answers 202, `# expect: 200 after 202`. */
  readonly expected: number
  readonly sentAgainWhile: number | undefined
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: readonly string[]
}

/** @throws if a request has no `# expect:` line: each must say what it gets. */
export async function readHttpFile(path: string): Promise<HttpFile> {
  const [preamble = '', ...blocks] = (await readFile(path, 'utf8')).split(/^###/m)
  const variables = [...preamble.matchAll(/^@(\w+)\s*=\s*(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  )
  return { folder: dirname(path), variables: new Map(variables), requests: blocks.map(parseRequest) }
}

function parseRequest(block: string): HttpRequest {
  const [title = '', ...lines] = block.split('\n')
  const comments = lines.filter((line) => line.startsWith('#')).join('\n')
  const [, expected, again] = /^# expect: (\d{3})(?: after (\d{3}))?$/m.exec(comments) ?? []
  if (expected === undefined) throw new Error(`"${title.trim()}" does not say which status to expect`)

  const rest = lines.filter((line) => !line.startsWith('#'))
  const [, method = '', url = ''] = /^([A-Z]+) (\S+)$/.exec(rest[0] ?? '') ?? []
  const headerEnd = rest.indexOf('')
  return {
    title: title.trim(),
    name: /^# @name (\w+)$/m.exec(comments)?.[1],
    expected: Number(expected),
    sentAgainWhile: again === undefined ? undefined : Number(again),
    method,
    url,
    headers: rest.slice(1, headerEnd).map(parseHeader),
    body: rest.slice(headerEnd + 1),
  }
}

function parseHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

/** Sends a request; `fill` puts the values of `{{placeholders}}` into a text. */
export async function sendHttpRequest(
  request: HttpRequest,
  folder: string,
  fill: (text: string) => string,
): Promise<{ status: number; body: string }> {
  const body = await bodyOf(request, folder, fill)
  const response = await fetch(fill(request.url), {
    method: request.method,
    headers: request.headers.map(([name, value]): [string, string] => [name, fill(value)]),
    ...(body.length > 0 && { body }),
  })
  return { status: response.status, body: await response.text() }
}

async function bodyOf(request: HttpRequest, folder: string, fill: (text: string) => string): Promise<Buffer> {
  const lines = await Promise.all(
    request.body.map(async (line) => {
      const path = /^< (.+)$/.exec(line)?.[1]
      return path === undefined ? Buffer.from(fill(line)) : await readFile(join(folder, path))
    }),
  )
  // Multipart demands CRLF; the editors write it too, whatever ends the file's own lines.
  const lineEnd = Buffer.from('\r\n')
  const text = Buffer.concat(lines.flatMap((line) => [line, lineEnd]))
  return text.toString('latin1').trim() === '' ? Buffer.alloc(0) : text
}

/**
 * Makes the function that fills placeholders: `{{$guid}}`, `{{variable}}` and `{{name.response.body.$.field}}`.
 *
 * @param bodies the JSON bodies of named requests, as they arrive.
 */
export function fillFrom(
  variables: ReadonlyMap<string, string>,
  bodies: ReadonlyMap<string, string>,
): (text: string) => string {
  return (text) =>
    text.replaceAll(/\{\{([^}]+)\}\}/g, (placeholder, inside: string) => {
      if (inside === '$guid') return randomUUID()
      const [, name = '', field = ''] = /^(\w+)\.response\.body\.\$\.(\w+)$/.exec(inside) ?? []
      const value = variables.get(inside) ?? fieldOf(bodies.get(name), field)
      if (value === undefined) throw new Error(`Nothing to put in the place of ${placeholder}`)
      return value
    })
}

function fieldOf(json: string | undefined, field: string): string | undefined {
  const answer: Record<string, unknown> = JSON.parse(json ?? '{}')
  const value = answer[field]
  return typeof value === 'string' ? value : undefined
}
