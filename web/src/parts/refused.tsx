/** What the API refused, in words. */
import type { Refusal } from '../api/problem.ts'
import { words } from '../state/language.ts'

export function Refused({ refusal }: { readonly refusal: Refusal }) {
  return (
    <p class="refused" role="alert">
      {words.value.problem(refusal.code, refusal.message)}
    </p>
  )
}
