/** The settings that say how much one address, one user, and all together may ask of the service. */

const MIB = 1_048_576

/** Each is a bound; where it is off it is Infinity, so that nobody need ask whether there is one. */
export interface OverloadSettings {
  /** Users that one address may create in a minute. */
  readonly newUsersPerMinute: number
  /** Uploads that one user may begin in a minute. */
  readonly uploadsPerMinute: number
  /** Polls, downloads and lists that one address may ask for in a minute. */
  readonly readsPerMinute: number
  /** Upload bodies of one address that are read at once; the others wait. */
  readonly uploadsAtOnce: number
  /** Recordings that may wait for their transcoding, all users' together, and the bytes of their WAVs. */
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
  /** What one user may have: recordings, those of them that wait, and bytes (WAVs that wait, MP3s that are ready). */
  readonly quotaRecordings: number
  readonly quotaWaiting: number
  readonly quotaBytes: number
}

/** @param wholeNumber reads one setting. */
export function readOverloadSettings(
  wholeNumber: (name: string, range: readonly [number, number], fallback: number) => number,
): OverloadSettings {
  const bound = (name: string, most: number, fallback: number) =>
    wholeNumber(name, [0, most], fallback) || Number.POSITIVE_INFINITY
  return {
    newUsersPerMinute: bound('NEW_USERS_PER_MINUTE', 1_000_000, 60),
    uploadsPerMinute: bound('UPLOADS_PER_MINUTE', 1_000_000, 300),
    readsPerMinute: bound('READS_PER_MINUTE', 100_000_000, 0),
    uploadsAtOnce: bound('UPLOADS_AT_ONCE', 10_000, 8),
    maxWaiting: bound('MAX_WAITING', 1_000_000_000, 10_000),
    maxWaitingBytes: bound('MAX_WAITING_MB', 1_000_000_000, 0) * MIB,
    quotaRecordings: bound('QUOTA_RECORDINGS', 1_000_000_000, 0),
    quotaWaiting: bound('QUOTA_WAITING', 1_000_000_000, 0),
    quotaBytes: bound('QUOTA_MB', 1_000_000_000, 0) * MIB,
  }
}
