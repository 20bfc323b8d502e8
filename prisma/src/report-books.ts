/** The books as lines for people: what checkBooks found, and a last line with the sum. */
import type { Log } from '@wavemill/core/log'
import type { Settings } from '@wavemill/core/settings'
import { createWavStore } from '@wavemill/core/wav-store'
import { checkBooks } from './books.ts'
import { openDatabase } from './database.ts'
import { waitForDatabase } from './migrations.ts'

const WAIT_MS = 30_000

/**
 * Checks the installation whose database is at `url`.
 *
 * @param print is given one line at a time.
 * @returns how many faults there are.
 * @throws if the database stays away for half a minute, or fails while it is read.
 */
export async function reportBooks(
  url: string,
  { wavDir, segmentAttempts }: Pick<Settings, 'wavDir' | 'segmentAttempts'>,
  log: Log,
  print: (line: string) => void,
): Promise<number> {
  const db = openDatabase({ url, applicationName: 'wavemill books', log })
  try {
    await waitForDatabase(db, { log, signal: AbortSignal.timeout(WAIT_MS) })
    const faults = await checkBooks(db, await createWavStore(wavDir), { segmentAttempts })
    for (const { kind, recordKey, file, detail } of faults) {
      const place = recordKey === undefined ? file : `record ${recordKey}`
      print(`${kind}${place === undefined ? '' : ` (${place})`}: ${detail}`)
    }
    print(faults.length === 0 ? 'The books add up.' : `${faults.length} things do not add up.`)
    return faults.length
  } finally {
    await db.close()
  }
}
