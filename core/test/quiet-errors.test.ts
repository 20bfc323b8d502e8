/** The log of errors that come again and again. */
import { connect, type LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../test/support/ports.ts'
import { createQuietErrorLog, describeError } from '../src/quiet-errors.ts'
import { createKeptLog } from './support/kept-log.ts'

const WARN = 40
const DEBUG = 20

describe('a quiet error log', () => {
  it('warns of an error once, and of each other one, and tells the repetitions only to those who debug', () => {
    const { log, lines } = createKeptLog()
    const report = createQuietErrorLog(log, 'Trouble')
    for (const message of ['refused', 'refused', 'reset', 'refused']) report(new Error(message))
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: WARN, reason: 'refused', msg: 'Trouble' },
      { level: DEBUG, reason: 'refused', msg: 'Trouble' },
      { level: WARN, reason: 'reset', msg: 'Trouble' },
      { level: DEBUG, reason: 'refused', msg: 'Trouble' },
    ])
  })

  it('logs nothing of an error but its message', () => {
    const { log, lines } = createKeptLog()
    const error = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['hunter2'] } })
    createQuietErrorLog(log, 'Trouble')(error)
    expect(lines.join()).toContain('WRONGPASS')
    expect(lines.join()).not.toContain('hunter2')
  })
})

describe('describeError', () => {
  it('finds words for an error without a message, as Node gives where a name has two addresses that refuse', async () => {
    const port = await freePort()
    const lookup: LookupFunction = (_host, _options, done) =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ])
    const error = await new Promise((resolve) => {
      connect({ host: 'two.example', port, autoSelectFamily: true, lookup }).once('error', resolve)
    })
    expect(error).toMatchObject({ message: '' })
    expect(describeError(error)).toBe('ECONNREFUSED')
  })

  it('takes what is no error as it is', () => {
    expect(describeError('broken')).toBe('broken')
  })
})
