/** What the API says when it refuses, as an error that the page can show. */

/** Problem details (RFC 9457) as Wavemill writes them. */
interface ProblemDetails {
  readonly code: string
  readonly detail: string
  readonly field?: string
}

export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** 0 where nothing was answered: the network is away. */
  readonly status: number
  readonly code: string
  /** Seconds after which it may be tried again, where the answer says so. */
  readonly retryAfter: number | undefined

  constructor(status: number, code: string, detail: string, retryAfter?: number) {
    super(detail)
    this.status = status
    this.code = code
    this.retryAfter = retryAfter
  }

  /** It may succeed later just as it is. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503
  }
}

export function offline(): Refusal {
  return new Refusal(0, 'offline', 'Wavemill cannot be reached.')
}

/** @param body the text of an answer that is no success; a proxy's may be anything. */
export function refusalOf(status: number, body: string, retryAfter: string | null): Refusal {
  const details = parseDetails(body)
  const seconds = Number(retryAfter ?? Number.NaN)
  return new Refusal(
    status,
    details?.code ?? 'unknown',
    details?.detail ?? `The answer was ${status}.`,
    Number.isFinite(seconds) ? seconds : undefined,
  )
}

function parseDetails(body: string): ProblemDetails | undefined {
  try {
    const details: unknown = JSON.parse(body)
    return isDetails(details) ? details : undefined
  } catch {
    return undefined
  }
}

function isDetails(value: unknown): value is ProblemDetails {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value
}
