/** The name of the service, the language, and the account of whoever uses it. */
import { choose, type Language, language, words } from '../state/language.ts'
import { user } from '../state/session.ts'
import { en } from '../words/en.ts'
import { ru } from '../words/ru.ts'
import { Account } from './account.tsx'
import { Wave } from './icons.tsx'

const languages: readonly (readonly [Language, string])[] = [
  ['en', en.language],
  ['ru', ru.language],
]

export function Header() {
  return (
    <header class="header">
      <h1 class="brand">
        <Wave />
        Wavemill
      </h1>
      <div class="header-end">
        <fieldset class="languages">
          <legend class="unseen">{words.value.language}</legend>
          {languages.map(([code, name]) => (
            <button
              key={code}
              type="button"
              lang={code}
              class="plain language"
              aria-pressed={language.value === code}
              aria-label={`${code.toUpperCase()} ${name}`}
              onClick={() => choose(code)}
            >
              {code.toUpperCase()}
            </button>
          ))}
        </fieldset>
        {user.value !== undefined && <Account user={user.value} />}
      </div>
    </header>
  )
}
