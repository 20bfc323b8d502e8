/** The rules of a user's name. */
import { fieldProblem } from './problem.ts'

const MAX_CODE_POINTS = 100

/**
 * Brings a name into the form in which it is stored and compared: NFC, without spaces around it.
 *
 * @throws Problem `bad-name`, saying which rule is broken.
 */
export function parseUserName(given: string): string {
  const name = given.normalize('NFC').trim()
  if (name === '') throw badName('must not be empty.')
  if (/\p{Cc}/u.test(name)) throw badName('must hold no control characters.')
  if (/\p{Surrogate}/u.test(name)) throw badName('must be valid Unicode; it holds half a surrogate pair.')
  if ([...name].length > MAX_CODE_POINTS) throw badName(`must have at most ${MAX_CODE_POINTS} characters.`)
  return name
}

function badName(rule: string) {
  return fieldProblem('bad-name', 'name', `The name ${rule}`)
}
