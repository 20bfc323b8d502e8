/** In which language the page speaks: what was chosen, or what the browser asks for, or English. */
import { computed, effect, signal } from '@preact/signals'
import { en } from '../words/en.ts'
import { ru } from '../words/ru.ts'

const languages = { en, ru }
export type Language = keyof typeof languages

const KEY = 'wavemill.language'

export const language = signal<Language>(chosen() ?? preferred())
export const words = computed(() => languages[language.value])

effect(() => {
  document.documentElement.lang = language.value
})

export function choose(next: Language): void {
  localStorage.setItem(KEY, next)
  language.value = next
}

function chosen(): Language | undefined {
  const stored = localStorage.getItem(KEY)
  return stored !== null && isLanguage(stored) ? stored : undefined
}

function preferred(): Language {
  const codes = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())
  return codes.find(isLanguage) ?? 'en'
}

function isLanguage(code: string): code is Language {
  return Object.hasOwn(languages, code)
}
