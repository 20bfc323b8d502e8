/** Tells an error of a database that is away, which passes, from every other error. */

/** Connections that Node could not make or lost. */
const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** PostgreSQL's (errcodes, appendix A of its manual); whole classes by their first two characters. */
const sqlStates = new Set([
  '08', // connection exceptions
  '53', // out of connections, memory or disk
  '57P01', // terminated by an administrator, or the server shuts down
  '57P02', // the server crashed
  '57P03', // the server starts up
  '25006', // read-only: a standby that is being promoted
  '25P03', // idle in a transaction for too long
])

/** Prisma's codes, P2028 being a transaction that could not begin or end in time; and its driver adapters' kinds of error. */
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037'])
const adapterKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
])

/** pg gives these no code. */
const pgMessages = [
  /^Connection terminated/,
  /^timeout exceeded when trying to connect/,
  /^timeout expired/,
  /connection error and is not queryable/,
  /^Query read timeout/,
]

/**
 * True if the error, or one behind it, says that the database cannot be reached or lets nobody in for now:
 * refused, reset, terminated, starting up, out of connections. What was asked may be asked again later.
 */
export function isDatabaseAway(error: unknown): boolean {
  return errorsBehind(error, 8).some(saysAway)
}

/** The error and everything that it names as its reason. */
function errorsBehind(error: unknown, depth: number): object[] {
  if (typeof error !== 'object' || error === null || depth === 0) return []
  const reasons: unknown[] = []
  if ('cause' in error) reasons.push(error.cause)
  if ('errors' in error && Array.isArray(error.errors)) reasons.push(...error.errors)
  // Prisma's place for the adapter's error.
  if ('meta' in error) reasons.push(error.meta)
  if ('driverAdapterError' in error) reasons.push(error.driverAdapterError)
  return [error, ...reasons.flatMap((reason) => errorsBehind(reason, depth - 1))]
}

function saysAway(error: object): boolean {
  for (const property of ['code', 'errorCode', 'originalCode']) {
    const code: unknown = Reflect.get(error, property)
    if (typeof code === 'string' && isAwayCode(code)) return true
  }
  if ('kind' in error && typeof error.kind === 'string' && adapterKinds.has(error.kind)) return true
  const message = 'message' in error ? String(error.message) : ''
  return pgMessages.some((pattern) => pattern.test(message))
}

function isAwayCode(code: string): boolean {
  if (socketCodes.has(code) || prismaCodes.has(code)) return true
  return (
    code.length === 5 && (sqlStates.has(code) || (sqlStates.has(code.slice(0, 2)) && /^\d{2}/.test(code)))
  )
}
