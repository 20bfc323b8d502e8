/** Reads an upload's multipart body part by part: which fields there are, each once, and what the parser chokes on. */
import type { Multipart, MultipartFile, MultipartValue } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { fieldProblem, Problem } from './problem.ts'
import { isOptionField, OPTION_FIELDS, type OptionField } from './upload-options.ts'
import { parseUuid } from './uuid.ts'

export type UploadPart =
  | { readonly field: 'user' | 'token'; readonly value: string }
  | { readonly field: OptionField; readonly value: string }
  | { readonly field: 'file'; readonly fileName: string; readonly bytes: AsyncIterable<Buffer> }

const TEXT_FIELDS = ['user', 'token', ...OPTION_FIELDS] as const
type TextField = (typeof TEXT_FIELDS)[number]

/** The parser's own bounds. One more of everything than is allowed, so that what is too much is seen and named. */
const limits = {
  fieldSize: 8192, // a tag's 1,000 characters, also where each comes in two pieces
  fields: TEXT_FIELDS.length + 1,
  files: 2,
  parts: TEXT_FIELDS.length + 2,
  headerPairs: 20,
  fileSize: Infinity,
}

/**
 * Yields the parts in the order of the stream; a file's bytes must be read before the next part comes.
 *
 * @param turn is waited for before any of the body is read.
 * @throws Problem at the first fault in the stream.
 */
export async function* readUploadForm(
  request: FastifyRequest,
  turn: () => Promise<void>,
): AsyncGenerator<UploadPart> {
  await turn()
  const seen = new Set<string>()
  for await (const part of parserErrorsAsProblems(request.parts({ limits }))) {
    const name = nameOf(part)
    if (seen.has(name)) throw fieldProblem('duplicate-field', name, `"${name}" is given more than once.`)
    seen.add(name)
    yield name === 'file' ? filePart(part) : textPart(name, part)
  }
}

function nameOf(part: Multipart): TextField | 'file' {
  const name: string | undefined = part.fieldname // a part may have none, whatever the types say
  const known = TEXT_FIELDS.find((field) => field === name)
  if (known !== undefined) return known
  if (name === 'file') return name
  const shown = (name ?? '').slice(0, 100)
  throw fieldProblem(
    'unknown-field',
    shown,
    `"${shown}" is not a field of an upload. There are file, ${TEXT_FIELDS.join(', ')}.`,
  )
}

function filePart(part: Multipart): UploadPart {
  if (part.type !== 'file')
    throw fieldProblem('bad-field', 'file', '"file" must be a file, with a file name.')
  return { field: 'file', fileName: part.filename, bytes: bytesOf(part) }
}

async function* bytesOf(part: MultipartFile): AsyncGenerator<Buffer> {
  yield* parserErrorsAsProblems<Buffer>(part.file)
}

function textPart(field: TextField, part: Multipart): UploadPart {
  const value = part.type === 'field' ? textOf(part) : undefined
  if (isOptionField(field)) {
    if (value === undefined)
      throw fieldProblem('bad-field', field, `"${field}" must be a text, and not so long.`)
    return { field, value }
  }
  const uuid = value === undefined ? undefined : parseUuid(value.trim())
  if (uuid === undefined) throw fieldProblem('bad-field', field, `"${field}" must be a UUID.`)
  return { field, value: uuid }
}

function textOf(part: MultipartValue): string | undefined {
  return typeof part.value === 'string' && !part.valueTruncated ? part.value : undefined
}

/** Whatever the parser throws, it is the body's fault: it knows no other reason. */
async function* parserErrorsAsProblems<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await iterator.next().catch((cause) => {
        throw new Problem('malformed-body', 'The body is not a well-formed multipart form.', { cause })
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}
