/** Makes recordings whose MP3 has a size that is known beforehand. */
import { postMultipart, waitUntilReady } from './client.ts'
import { recordingOf } from './material.ts'
import type { IdleService } from './rivals.ts'

const BITRATE_KBPS = 128
const BYTES_PER_SECOND = (BITRATE_KBPS * 1000) / 8

/** Of an hour at 128 kbit/s, in bytes: what is called 57 MB. */
export const HOUR_MP3_BYTES = 3600 * BYTES_PER_SECOND

/** Silence at a constant rate: it is encoded quickly, and to a download it is as any other. @returns its link. */
export async function storeMp3({ service, user, agent }: IdleService, mp3Bytes: number): Promise<string> {
  const recording = recordingOf({ seconds: Math.ceil(mp3Bytes / BYTES_PER_SECOND) }, 'silence')
  const fields = { user: user.id, token: user.token, bitrate: String(BITRATE_KBPS) }
  const { status, body } = await postMultipart(`${service.baseUrl}/record`, fields, recording)
  if (status !== 202) throw new Error(`The upload was answered with ${status}: ${body}`)
  const { url: link }: { url: string } = JSON.parse(body)
  await waitUntilReady(link, agent, 100)
  return link
}

/** The id that a link names. */
export function idOf(link: string): string {
  return new URL(link).searchParams.get('id') ?? ''
}
