/** What almost every test file here needs: an open database of its own, closed and dropped at its end. */
import { createLog } from '@wavemill/core/log'
import { afterAll, beforeAll } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { type Database, openDatabase } from '../../src/database.ts'
import { insertUser } from './material.ts'

export interface TestDb {
  /** Valid within tests and hooks. */
  readonly db: Database
  readonly url: string
  /** A user to whom records may belong. */
  readonly userId: string
}

/** Call it at the top of a test file. */
export function useTestDb(options: { poolSize?: number } = {}): TestDb {
  let opened: { database: TestDatabase; db: Database; userId: string } | undefined
  beforeAll(async () => {
    const database = await createTestDatabase()
    const log = createLog('test', 'silent')
    const db = openDatabase({ url: database.url, applicationName: 'wavemill test', log, ...options })
    opened = { database, db, userId: await insertUser(db) }
  })
  afterAll(async () => {
    await opened?.db.close()
    await opened?.database.drop()
  })
  function get(): NonNullable<typeof opened> {
    if (opened === undefined) throw new Error('The database is open within tests and hooks only')
    return opened
  }
  return {
    get db() {
      return get().db
    },
    get url() {
      return get().database.url
    },
    get userId() {
      return get().userId
    },
  }
}
