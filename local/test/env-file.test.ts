import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { parseSettings } from '@wavemill/core/settings'
import { expect, it } from 'vitest'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const file = parseEnv(read('.env'))

it('.env gives every setting its default', () => {
  expect(parseSettings(file)).toEqual(parseSettings({}))
})

it('.env names every setting that is parsed, and no other but the password of the containers', () => {
  const asked = new Set<string>()
  const spy = new Proxy<Record<string, string | undefined>>(
    {},
    { get: (_, name) => void asked.add(String(name)) },
  )
  parseSettings(spy)
  expect(Object.keys(file).sort()).toEqual([...asked, 'POSTGRES_PASSWORD'].sort())
})
