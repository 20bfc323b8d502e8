/** Reads UUIDs that clients send: user ids, record ids and tokens are all UUIDs. */

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The UUID in its canonical lower case (RFC 9562, section 4), or undefined if `text` is none. */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase()
  return uuid.test(lower) ? lower : undefined
}
