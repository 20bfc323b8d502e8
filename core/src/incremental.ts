/** Runs a parser that is written as if all bytes were there over bytes that arrive in any pieces. */

/**
 * What a parser asks for. `take` and `peek` are answered with that many bytes, or with fewer where the input
 * ends; `peek` leaves them to be read again. `skip` passes over bytes that nobody keeps.
 */
export type Want = { readonly take: number } | { readonly peek: number } | { readonly skip: number }

/**
 * Yields what it wants, is given the bytes, returns what it found or throws what is wrong.
 * It must come to an end when it is given short answers: after the end of the input it gets no others.
 */
export type Parser<T> = Generator<Want, T, Uint8Array>

export interface Incremental<T> {
  /** The result, or undefined while more bytes are wanted. Throws what the parser throws, also when called again. */
  push(bytes: Uint8Array): T | undefined
  /** Says that the input has ended; gives the result or throws what the parser throws. */
  end(): T
}

const nothing: Uint8Array = new Uint8Array(0)

/**
 * Between pushes it keeps fewer bytes than the parser's largest `take` or `peek`; the time is linear in the
 * input, whatever its pieces. Once there is a result or an error, further bytes are ignored.
 */
export function runIncrementally<T>(parser: Parser<T>): Incremental<T> {
  let kept: Uint8Array = nothing
  let want: Want = { skip: 0 }
  let toSkip = 0
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined

  function resume(answer: Uint8Array): void {
    try {
      const step = parser.next(answer)
      if (step.done) outcome = { value: step.value }
      else want = step.value
    } catch (error) {
      outcome = { error }
    }
    toSkip = 'skip' in want ? want.skip : 0
  }

  function feed(input: Uint8Array, ended: boolean): void {
    let at = 0
    while (outcome === undefined) {
      const left = input.length - at
      if ('skip' in want) {
        const skipped = Math.min(toSkip, left)
        at += skipped
        toSkip -= skipped
        if (toSkip > 0 && !ended) break
        resume(nothing)
      } else {
        const wanted = 'take' in want ? want.take : want.peek
        if (left < wanted && !ended) break
        const answer = copyOf(input, at, at + wanted)
        if ('take' in want) at += answer.length
        resume(answer)
      }
    }
    kept = outcome === undefined ? copyOf(input, at, input.length) : nothing
  }

  function result(): T | undefined {
    if (outcome === undefined) return undefined
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  resume(nothing)
  return {
    push(bytes) {
      feed(kept.length === 0 ? bytes : joined(kept, bytes), false)
      return result()
    },
    end() {
      feed(kept, true)
      const value = result()
      if (value === undefined) throw new Error('The parser went on after the end of its input')
      return value
    },
  }
}

/** The caller may use its buffer again while we, or the parser, still hold what was in it. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end))
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
