/** Parses the environment once into typed settings; every mistake is listed before the start is stopped. */
import { join, resolve } from 'node:path'

const MIB = 1_048_576

/** Where the queue lives: Redis, or BullMQ's PostgreSQL backend in the service's own database. */
export interface Settings {
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
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const mistakes: string[] = []

  function text(name: string): string | undefined {
    const value = env[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }
  function wholeNumber(name: string, fallback: number, least: number, most: number): number {
    const value = text(name)
    if (value === undefined) return fallback
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= least && number <= most) return number
    mistakes.push(`${name} must be a whole number from ${least} to ${most}, not "${value}"`)
    return fallback
  }
  function oneOf<T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
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
  function publicUrl(): string | undefined {
    const value = url('PUBLIC_URL', ['http:', 'https:'])
    if (value === undefined) return undefined
    const { search, hash, username, password } = new URL(value)
    if (search !== '' || hash !== '' || username !== '' || password !== '') {
      mistakes.push('PUBLIC_URL must hold no query, fragment or password')
    }
    return value.replace(/\/+$/, '')
  }

  const dataDir = resolve(text('DATA_DIR') ?? '.data')
  const wavDir = text('WAV_DIR')
  const concurrency = wholeNumber('WORKER_CONCURRENCY', 0, 1, 256)
  const settings: Settings = {
    port: wholeNumber('PORT', 8080, 0, 65_535),
    host: text('HOST') ?? '127.0.0.1',
    publicUrl: publicUrl(),
    dataDir,
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
    wavDir: wavDir === undefined ? join(dataDir, 'wav') : resolve(wavDir),
    maxUploadBytes: wholeNumber('MAX_UPLOAD_MB', 4096, 1, 16_777_216) * MIB,
    minFreeDiskBytes: wholeNumber('MIN_FREE_DISK_MB', 1024, 0, 16_777_216) * MIB,
    retentionDays: wholeNumber('RETENTION_DAYS', 0, 0, 36_500),
    workers: wholeNumber('WORKERS', 1, 1, 64),
    workerConcurrency: concurrency === 0 ? undefined : concurrency,
    segmentSeconds: wholeNumber('SEGMENT_SECONDS', 300, 10, 86_400),
    segmentAttempts: wholeNumber('SEGMENT_ATTEMPTS', 3, 1, 100),
    adminUser: text('ADMIN_USER') ?? 'admin',
    adminPassword: text('ADMIN_PASSWORD'),
    dashboardReadOnly: oneOf('QUEUES_READ_ONLY', 'true', ['true', 'false']) === 'true',
    logLevel: oneOf('LOG_LEVEL', 'info', logLevels),
    ffmpegPath: text('FFMPEG_PATH'),
  }
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return settings
}
