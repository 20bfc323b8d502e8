/** Who uses the page: kept in this browser only, and the same in all of its tabs. */
import { signal } from '@preact/signals'
import type { User } from '../api/recording.ts'

const KEY = 'wavemill.user'

export const user = signal<User | undefined>(readUser())
/** Why the last user had to go, if the page itself showed them out. */
export const isTokenRefused = signal(false)

addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) user.value = readUser()
})

export function enter(next: User): void {
  localStorage.setItem(KEY, JSON.stringify(next))
  isTokenRefused.value = false
  user.value = next
}

export function leave(): void {
  localStorage.removeItem(KEY)
  user.value = undefined
}

/** The token was changed elsewhere: everything but a new one would be refused. */
export function tokenRefused(): void {
  isTokenRefused.value = true
}

function readUser(): User | undefined {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return isUser(stored) ? stored : undefined
  } catch {
    return undefined
  }
}

function isUser(value: unknown): value is User {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['id', 'name', 'token'].every((key) => typeof Reflect.get(value, key) === 'string')
  )
}
