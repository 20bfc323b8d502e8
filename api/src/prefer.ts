/** Reads the header Prefer (RFC 7240), of which `wait` is heeded. */

/** The longest wait that is granted, in seconds. */
const MAX_WAIT_SECONDS = 60

// What stands between commas, and between semicolons; a quote that never closes takes all that follows with it.
const preferences = /(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?$))+/g
const parameters = /(?:[^";]|"(?:[^"\\]|\\.)*(?:"|\\?$))+/g
// A token and perhaps a value, which is a token, a quoted string, or empty (section 2).
const pair = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*=[ \t]*([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*")?)?$/

/**
 * How long the client is ready to wait for the answer (section 4.3).
 *
 * @param header the whole of it, its lines joined by commas.
 * @returns 0..60 seconds: more than 60 is as good as 60. Undefined where it is not given, or malformed, which is ignored;
 * of several the first counts.
 */
export function parseWait(header: string): number | undefined {
  for (const [preference] of header.matchAll(preferences)) {
    const pairs = (preference.match(parameters) ?? []).map((text) => text.trim())
    const [, name, value = ''] = pair.exec(pairs[0] ?? '') ?? []
    const isMalformed = /^\s*;/.test(preference) || pairs.some((text) => text !== '' && !pair.test(text))
    if (name?.toLowerCase() !== 'wait' || isMalformed) continue
    const seconds = /^("?)(\d+)\1$/.exec(value)?.[2]
    return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS)
  }
  return undefined
}
