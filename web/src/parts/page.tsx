/** The whole page: a welcome for whoever is not known yet, and otherwise their recordings. */
import { words } from '../state/language.ts'
import { user } from '../state/session.ts'
import { Header } from './header.tsx'
import { Studio } from './studio.tsx'
import { Welcome } from './welcome.tsx'

export function Page() {
  const of = user.value
  return (
    <div class="page">
      <Header />
      <main>{of === undefined ? <Welcome /> : <Studio key={of.id} user={of} />}</main>
      <footer>
        <span>{words.value.tagline}</span>
        <a href="docs">API</a>
      </footer>
    </div>
  )
}
