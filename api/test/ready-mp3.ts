/** A recording of a running app that is ready, with bytes that the test chooses. */
import { buildWav } from '../../test/support/wav.ts'
import { finishLinked } from './finished-record.ts'
import type { RunningApp } from './running-app.ts'
import { uploadWav } from './uploaded.ts'

const wav = buildWav({ samples: 1000 })

export interface ReadyRecording {
  readonly url: string
  /** The link's path and query. */
  readonly path: string
  readonly key: bigint
}

export async function readyRecording(app: RunningApp, mp3: Buffer): Promise<ReadyRecording> {
  const user = await app.createUser()
  const { url } = await uploadWav(app, user, wav)
  return { url, path: url.slice(app.baseUrl.length), key: await finishLinked(app.db, url, mp3) }
}
