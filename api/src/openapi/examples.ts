/** One user and one recording that all examples tell of. */

export const exampleUser = {
  id: '5d1c2b3a-4f5e-4d6c-8b7a-9f8e7d6c5b4a',
  name: 'Ada',
  token: 'e2f1d0c9-b8a7-4695-8473-625140f3e2d1',
}

const id = '0b0e1d2c-3f4a-4b5c-9d6e-7f8091a2b3c4'
const link = `?id=${id}&user=${exampleUser.id}`

export const exampleRecord = {
  id,
  url: `http://127.0.0.1:8080/record${link}`,
  statusUrl: `http://127.0.0.1:8080/record/status${link}`,
}

export const exampleWaiting = {
  status: 'processing',
  progress: 0.42,
  position: 0,
  estimatedSeconds: 4,
  retryAfter: 4,
}

export const exampleStatus = {
  id,
  status: 'ready',
  progress: 1,
  warnings: [],
  source: {
    fileName: 'interview.wav',
    codec: 'pcm',
    sampleRate: 44_100,
    channels: 2,
    bitsPerSample: 16,
    samples: 79_380_000,
    seconds: 1800,
    bytes: 317_520_044,
    sha256: 'f3a5c1d2e4b697888796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
  },
  mp3: {
    bytes: 42_731_904,
    sha256: 'a3f5c1d2e4b697888796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
  },
  failure: null,
  createdAt: '2026-11-24T12:00:00.000Z',
  startedAt: '2026-11-24T12:00:00.100Z',
  readyAt: '2026-11-24T12:00:21.500Z',
  expiresAt: null,
}
