/** The name of an uploaded file, cleaned for keeping, and the name under which its MP3 is downloaded. */

const FALLBACK = 'recording.wav'
const MAX_CODE_POINTS = 150

// Control characters, and those that turn the direction of writing around: "gnp.exe" must not pass for "exe.png".
const unwanted = /[\p{Cc}\p{Surrogate}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * Makes a client's file name harmless: no path, no control characters, a bounded length; its Unicode is kept.
 *
 * @param given as the client sent it; it may be anything.
 */
export function cleanFileName(given: string | undefined): string {
  const base = (given ?? '').split(/[/\\]/).at(-1) ?? ''
  const name = base.normalize('NFC').replace(unwanted, '').trim()
  if (/^\.*$/.test(name)) return FALLBACK
  return shorten(name)
}

/**
 * `take 1.wav` -> `take 1.mp3`; a name that does not end so gets `.mp3` at its end. A title, where there is one, stands for
 * the file's own name.
 *
 * @param fileName as it was cleaned.
 */
export function downloadName(fileName: string, title?: string): string {
  const stem = fileName.replace(/\.wave?$/i, '')
  return `${title === undefined ? stem : stemOf(title, stem)}.mp3`
}

/** A title may be anything: what stands for a path in a file name does not in a title. */
function stemOf(title: string, fallback: string): string {
  const stem = title.replace(/[/\\]/g, '-').replace(unwanted, '').trim()
  return /^\.*$/.test(stem) ? fallback : [...stem].slice(0, MAX_CODE_POINTS).join('').trimEnd()
}

/** Cuts in the middle, so that an extension stays. */
function shorten(name: string): string {
  const codePoints = [...name]
  if (codePoints.length <= MAX_CODE_POINTS) return name
  const extension = /\.[^.]{1,10}$/.exec(name)?.[0] ?? ''
  return codePoints.slice(0, MAX_CODE_POINTS - extension.length).join('') + extension
}
