/** Users on a real PostgreSQL. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createUser, findTokenHash } from '../src/users.ts'
import { sha256 } from './support/material.ts'
import { useTestDb } from './support/test-db.ts'

const testDb = useTestDb()

test('a user is created, and the hash of its token is found', async () => {
  const id = randomUUID()
  expect(await createUser(testDb.db, { id, name: 'Žofie', tokenHash: sha256('token') })).toBe('created')
  expect(await findTokenHash(testDb.db, id)).toEqual(sha256('token'))
  expect(await findTokenHash(testDb.db, randomUUID())).toBeUndefined()
})

test('of twenty who want a name at the same moment, one gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      createUser(testDb.db, { id: randomUUID(), name: 'Ada', tokenHash: sha256('a') }),
    ),
  )
  expect(answers.sort()).toEqual(['created', ...Array(19).fill('name-taken')])
})

test('names are compared as they are: case, accents and spaces inside tell them apart', async () => {
  for (const name of ['Émile', 'Emile', 'emile', 'e mile', 'e  mile']) {
    expect(await createUser(testDb.db, { id: randomUUID(), name, tokenHash: sha256(name) })).toBe('created')
  }
})

test('a name of a hundred characters that are two UTF-16 units each is stored', async () => {
  const name = '𝄞'.repeat(100)
  expect(await createUser(testDb.db, { id: randomUUID(), name, tokenHash: sha256(name) })).toBe('created')
})
