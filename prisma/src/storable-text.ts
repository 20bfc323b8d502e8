/** Text from outside, such as what ffmpeg says, made fit for a column. */

const MAX_CHARACTERS = 2_000

/** PostgreSQL's text holds no NUL, and nobody reads more than two thousand characters. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').slice(0, MAX_CHARACTERS)
}
