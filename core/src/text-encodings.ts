/** Decodes text of old files, whatever it claims to be: nothing here throws. */

const decoders = {
  'utf-8': new TextDecoder('utf-8'),
  'utf-16le': new TextDecoder('utf-16le'),
  'utf-16be': new TextDecoder('utf-16be'),
}
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** What windows-1252 has between 0x80 and 0x9f, where Latin-1 has control characters. */
const windowsCharacters = [...'€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ']

/** @param encoding without one it is UTF-8 if it can be, and otherwise windows-1252. What cannot be decoded becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, encoding?: keyof typeof decoders | 'windows-1252'): string {
  if (encoding === 'windows-1252') return decodeWindows1252(bytes)
  if (encoding !== undefined) return decoders[encoding].decode(bytes)
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return decodeWindows1252(bytes)
  }
}

export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0)
  return end === -1 ? bytes : bytes.subarray(0, end)
}

/** Node's own decoder of that name is one of Latin-1 (https://github.com/nodejs/node/issues/56542). */
function decodeWindows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes).toString('latin1')
  return latin1.replace(
    /[\u0080-\u009f]/g,
    (control) => windowsCharacters[control.charCodeAt(0) - 0x80] ?? '',
  )
}
