/** The settings: every default works, every bad value is named, and no secret is repeated. */
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseSettings, SettingsError } from '../src/settings.ts'

function mistakesOf(env: Record<string, string>): readonly string[] {
  try {
    parseSettings(env)
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes
    throw error
  }
  return []
}

test('with nothing set every setting has its documented default', () => {
  expect(parseSettings({})).toEqual({
    port: 8080,
    host: '127.0.0.1',
    publicUrl: undefined,
    dataDir: resolve('.data'),
    databaseUrl: undefined,
    redisUrl: undefined,
    wavDir: resolve('.data/wav'),
    maxUploadBytes: 4096 * 1024 * 1024,
    minFreeDiskBytes: 1024 * 1024 * 1024,
    retentionDays: 0,
    workers: 1,
    workerConcurrency: undefined,
    segmentSeconds: 300,
    segmentAttempts: 3,
    segmentLockMs: 10_000,
    newUsersPerMinute: 60,
    uploadsPerMinute: 300,
    readsPerMinute: Infinity,
    uploadsAtOnce: 8,
    maxWaiting: 10_000,
    maxWaitingBytes: Infinity,
    quotaRecordings: Infinity,
    quotaWaiting: Infinity,
    quotaBytes: Infinity,
    registration: 'open',
    corsOrigins: [],
    trustProxy: [],
    adminUser: 'admin',
    adminPassword: undefined,
    dashboardReadOnly: true,
    logLevel: 'info',
    ffmpegPath: undefined,
  })
})

test('an empty value, or one of spaces, counts as not set', () => {
  const names = [
    'PORT',
    'PUBLIC_URL',
    'DATA_DIR',
    'REDIS_URL',
    'WORKER_CONCURRENCY',
    'ADMIN_USER',
    'LOG_LEVEL',
  ]
  for (const empty of ['', '  ', '\r']) {
    expect(parseSettings(Object.fromEntries(names.map((name) => [name, empty])))).toEqual(parseSettings({}))
  }
})

test('what is set is taken, in the units of the code', () => {
  const env = {
    ...{ PORT: '0', HOST: '0.0.0.0', PUBLIC_URL: 'https://wav.example/mill//', DATA_DIR: '/srv/mill' },
    ...{ DATABASE_URL: 'postgresql://me@db/mill', REDIS_URL: 'rediss://:pw@cache:6380/1' },
    ...{ MAX_UPLOAD_MB: '8', MIN_FREE_DISK_MB: '0', RETENTION_DAYS: '30', WORKERS: '2' },
    ...{ WORKER_CONCURRENCY: '4', SEGMENT_SECONDS: '60', SEGMENT_ATTEMPTS: '1', LOG_LEVEL: 'debug' },
    ...{ SEGMENT_LOCK_SECONDS: '3', NEW_USERS_PER_MINUTE: '0', UPLOADS_PER_MINUTE: '0' },
    ...{ READS_PER_MINUTE: '6000', UPLOADS_AT_ONCE: '0', MAX_WAITING: '0', MAX_WAITING_MB: '2' },
    ...{ QUOTA_RECORDINGS: '7', QUOTA_WAITING: '5', QUOTA_MB: '3' },
    ...{ REGISTRATION: 'admin', CORS_ORIGINS: 'https://a.example, http://b.example:81' },
    ...{ TRUST_PROXY: 'loopback,10.0.0.0/8,::1' },
    ...{ ADMIN_USER: 'root', ADMIN_PASSWORD: 'a:b', QUEUES_READ_ONLY: 'false', FFMPEG_PATH: '/opt/ffmpeg' },
  }
  expect(parseSettings(env)).toEqual({
    ...{ port: 0, host: '0.0.0.0', publicUrl: 'https://wav.example/mill', dataDir: '/srv/mill' },
    ...{ databaseUrl: 'postgresql://me@db/mill', redisUrl: 'rediss://:pw@cache:6380/1' },
    ...{ wavDir: '/srv/mill/wav', maxUploadBytes: 8_388_608, minFreeDiskBytes: 0, retentionDays: 30 },
    ...{ workers: 2, workerConcurrency: 4, segmentSeconds: 60, segmentAttempts: 1, logLevel: 'debug' },
    ...{ segmentLockMs: 3_000, newUsersPerMinute: Infinity, uploadsPerMinute: Infinity },
    ...{ readsPerMinute: 6000, uploadsAtOnce: Infinity, maxWaiting: Infinity, maxWaitingBytes: 2_097_152 },
    ...{ quotaRecordings: 7, quotaWaiting: 5, quotaBytes: 3_145_728 },
    ...{ registration: 'admin', corsOrigins: ['https://a.example', 'http://b.example:81'] },
    ...{ trustProxy: ['loopback', '10.0.0.0/8', '::1'] },
    ...{ adminUser: 'root', adminPassword: 'a:b', dashboardReadOnly: false, ffmpegPath: '/opt/ffmpeg' },
  })
})

test('a WAV folder of its own is not below the data folder', () => {
  expect(parseSettings({ DATA_DIR: '/srv/mill', WAV_DIR: '/mnt/wavs' }).wavDir).toBe('/mnt/wavs')
})

test.each([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['PORT', '0x50'],
  ['PORT', 'http'],
  ['MAX_UPLOAD_MB', '0'],
  ['MAX_UPLOAD_MB', '99999999999999999999'],
  ['MIN_FREE_DISK_MB', '1e3'],
  ['RETENTION_DAYS', '36501'],
  ['WORKERS', '0'],
  ['WORKER_CONCURRENCY', '0'],
  ['SEGMENT_SECONDS', '9'],
  ['SEGMENT_ATTEMPTS', '101'],
  ['SEGMENT_LOCK_SECONDS', '0'],
  ['UPLOADS_PER_MINUTE', '-1'],
  ['QUOTA_MB', '1.5'],
  ['REGISTRATION', 'closed'],
  ['CORS_ORIGINS', 'app.example'],
  ['CORS_ORIGINS', 'https://app.example/'],
  ['CORS_ORIGINS', 'https://a.example, null'],
  ['TRUST_PROXY', 'true'],
  ['TRUST_PROXY', '1'],
  ['TRUST_PROXY', '0.0.0.0/0'],
  ['TRUST_PROXY', '127.0.0.1, proxy.example'],
  ['QUEUES_READ_ONLY', 'yes'],
  ['LOG_LEVEL', 'verbose'],
  ['PUBLIC_URL', 'wav.example'],
  ['PUBLIC_URL', 'ftp://wav.example'],
  ['PUBLIC_URL', 'https://wav.example/?a=1'],
  ['PUBLIC_URL', 'https://me:secret@wav.example'],
  ['DATABASE_URL', 'mysql://db'],
  ['REDIS_URL', 'localhost:6379'],
  ['ADMIN_USER', 'a:b'],
])('%s=%s is a mistake that names the setting', (name, value) => {
  expect(mistakesOf({ [name]: value })).toEqual([expect.stringContaining(`${name} must`)])
})

test('all mistakes are listed at once', () => {
  const env = { PORT: 'x', WORKERS: '0', LOG_LEVEL: 'loud', REDIS_URL: 'http://cache' }
  expect(mistakesOf(env)).toHaveLength(4)
  expect(() => parseSettings(env)).toThrow(/PORT.*\n.*REDIS_URL.*\n.*WORKERS.*\n.*LOG_LEVEL/)
})

test('a URL with a password is not repeated in the mistake', () => {
  const env = { DATABASE_URL: 'mysql://me:hunter2@db', PUBLIC_URL: 'https://me:hunter2@wav.example' }
  expect(mistakesOf(env).join()).not.toContain('hunter2')
})
