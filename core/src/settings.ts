/** Parses the environment once into typed settings; every mistake is listed before the start is stopped. */
import { join, resolve } from 'node:path'
import { type AccessSettings, readAccessSettings } from './access-settings.ts'
import { type OverloadSettings, readOverloadSettings } from './overload-settings.ts'

const MIB = 1_048_576

/** Every setting, parsed and in the units of the code; `.env` documents them for people. */
export interface Settings extends OverloadSettings, AccessSettings {
  /** TCP port of the API, 0 for a free one. */
  readonly port: number
  readonly host: string
  /** Base of the links, without a trailing slash; undefined: the request's own host. */
  readonly publicUrl: string | undefined
  readonly dataDir: string
  /** undefined: `npm start` brings its own PostgreSQL. */
  readonly databaseUrl: string | undefined
  /** undefined: the queue lives in PostgreSQL. */
  readonly redisUrl: string | undefined
  readonly wavDir: string
  readonly maxUploadBytes: number
  readonly minFreeDiskBytes: number
  /** 0: records are kept for ever. */
  readonly retentionDays: number
  /** Worker processes of `npm start`. */
  readonly workers: number
  /** Segments that one worker process transcodes at once; undefined: one for each core. */
  readonly workerConcurrency: number | undefined
  readonly segmentSeconds: number
  readonly segmentAttempts: number
  /** For how long a segment belongs to a worker that gives no sign of life. */
  readonly segmentLockMs: number
  readonly adminUser: string
  /** undefined: `npm start` generates one; elsewhere the dashboard is off. */
  readonly adminPassword: string | undefined
  readonly dashboardReadOnly: boolean
  readonly logLevel: LogLevel
  /** undefined: `ffmpeg` of the PATH. May be a script. */
  readonly ffmpegPath: string | undefined
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Thrown by {@link parseSettings}; `mistakes` holds one sentence for each bad value. */
export class SettingsError extends Error {
  readonly mistakes: readonly string[]
  constructor(mistakes: readonly string[]) {
    super(`Settings are wrong:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`)
    this.name = 'SettingsError'
    this.mistakes = mistakes
  }
}

/**
 * Reads the settings out of an environment (usually `process.env` after `.env` was loaded into it).
 * An empty value counts as not set.
 *
 * @throws SettingsError naming every bad value at once.
 */
export function parseSettings(env: Environment): Settings {
  const read = readerOf(env)
  const dataDir = resolve(read.text('DATA_DIR') ?? '.data')
  const wavDir = read.text('WAV_DIR')
  const settings: Settings = {
    port: read.wholeNumber('PORT', [0, 65_535], 8080),
    host: read.text('HOST') ?? '127.0.0.1',
    publicUrl: publicUrlOf(read),
    dataDir,
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:']),
    wavDir: wavDir === undefined ? join(dataDir, 'wav') : resolve(wavDir),
    maxUploadBytes: read.wholeNumber('MAX_UPLOAD_MB', [1, 16_777_216], 4096) * MIB,
    minFreeDiskBytes: read.wholeNumber('MIN_FREE_DISK_MB', [0, 16_777_216], 1024) * MIB,
    retentionDays: read.wholeNumber('RETENTION_DAYS', [0, 36_500], 0),
    workers: read.wholeNumber('WORKERS', [1, 64], 1),
    workerConcurrency: read.wholeNumber('WORKER_CONCURRENCY', [1, 256], undefined),
    segmentSeconds: read.wholeNumber('SEGMENT_SECONDS', [10, 86_400], 300),
    segmentAttempts: read.wholeNumber('SEGMENT_ATTEMPTS', [1, 100], 3),
    segmentLockMs: read.wholeNumber('SEGMENT_LOCK_SECONDS', [1, 3600], 10) * 1000,
    ...readOverloadSettings(read.wholeNumber),
    ...readAccessSettings(read),
    adminUser: adminUserOf(read),
    adminPassword: read.text('ADMIN_PASSWORD'),
    dashboardReadOnly: read.oneOf('QUEUES_READ_ONLY', ['true', 'false'], 'true') === 'true',
    logLevel: read.oneOf('LOG_LEVEL', logLevels, 'info'),
    ffmpegPath: read.text('FFMPEG_PATH'),
  }
  if (read.mistakes.length > 0) throw new SettingsError(read.mistakes)
  return settings
}

type Environment = Readonly<Record<string, string | undefined>>
type Reader = ReturnType<typeof readerOf>

/** Reads single values; what is wrong is noted in `mistakes`, and the fallback stands in for it. */
function readerOf(env: Environment) {
  const mistakes: string[] = []

  function text(name: string): string | undefined {
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }
  function wholeNumber<T>(name: string, [least, most]: readonly [number, number], fallback: T): number | T {
    const value = text(name)
    if (value === undefined) return fallback
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= least && number <= most) return number
    mistakes.push(`${name} must be a whole number from ${least} to ${most}, not "${value}"`)
    return fallback
  }
  function oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = text(name)
    if (value === undefined) return fallback
    const found = allowed.find((candidate) => candidate === value)
    if (found !== undefined) return found
    mistakes.push(`${name} must be one of ${allowed.join(', ')}, not "${value}"`)
    return fallback
  }
  // The value itself is left out of the sentence: a URL may carry a password.
  function url(name: string, protocols: readonly string[]): string | undefined {
    const value = text(name)
    if (value === undefined) return undefined
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value
    mistakes.push(`${name} must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`)
    return undefined
  }
  return { mistakes, text, wholeNumber, oneOf, url }
}

function publicUrlOf(read: Reader): string | undefined {
  const value = read.url('PUBLIC_URL', ['http:', 'https:'])
  if (value === undefined) return undefined
  const { username, password } = new URL(value)
  if (/[?#]/.test(value) || username !== '' || password !== '') {
    read.mistakes.push('PUBLIC_URL must hold no query, fragment or password')
  }
  return value.replace(/\/+$/, '')
}

function adminUserOf(read: Reader): string {
  const value = read.text('ADMIN_USER') ?? 'admin'
  // RFC 7617: the first colon is where the password begins.
  if (value.includes(':')) read.mistakes.push('ADMIN_USER must hold no colon')
  return value
}
