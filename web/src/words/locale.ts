/** Which country's way of writing numbers and dates goes with a language. */

/** @returns the browser's own variant of the language, such as `en-GB`, if it has one. */
export function localeOf(language: string): string {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language
}
