/** Every file that the documents point at is there, and every setting that the code reads is told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSettings } from '@wavemill/core/settings'
import { expect, it } from 'vitest'
import { repositoryRoot } from '../bench/src/service.ts'

const documents = ['README.md', ...markdownIn('docs'), ...markdownIn('docs/decisions')]

function markdownIn(folder: string): string[] {
  const names = readdirSync(join(repositoryRoot, folder)).filter((name) => name.endsWith('.md'))
  return names.map((name) => join(folder, name))
}

function read(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8')
}

it.each(documents)('%s points at nothing that is not there', (document) => {
  const targets = Array.from(read(document).matchAll(/\]\(([^)#\s]+)[^)]*\)/g), ([, target = '']) => target)
  const files = targets.filter((target) => !/^[a-z]+:/.test(target))
  const missing = files.filter((file) => !existsSync(join(repositoryRoot, dirname(document), file)))
  expect(missing).toEqual([])
})

it.each(['README.md', '.env'])('%s names every setting that the code reads', (document) => {
  const settings = new Set<string>()
  parseSettings(new Proxy({}, { get: (_, name) => void settings.add(String(name)) }))
  expect(settings).toContain('PORT')
  const told = new Set(read(document).match(/\b[A-Z]+(?:_[A-Z]+)*\b/g))
  expect([...settings].filter((setting) => !told.has(setting))).toEqual([])
})
