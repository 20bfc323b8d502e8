/** Tags that WAVs carry: as the specifications write them, as ffmpeg and sox do, and as nobody should. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missing } from '../../test/support/requirement.ts'
import { buildWav, type WavSpec } from '../../test/support/wav.ts'
import { buildId3Tag } from '../src/id3-tag.ts'
import { parseTags, type Tags } from '../src/tags.ts'
import { createWavTagReader } from '../src/wav-tags.ts'

const run = promisify(execFile)

/** @param pieceBytes the file comes in pieces of so many bytes. */
function tagsOf(file: Uint8Array, pieceBytes = file.length): Tags {
  const reader = createWavTagReader()
  for (let at = 0; at < file.length; at += pieceBytes) reader.push(file.subarray(at, at + pieceBytes))
  return reader.end()
}

const tagsIn = (id: string, data: Uint8Array, spec: WavSpec = {}) =>
  tagsOf(buildWav({ samples: 10, ...spec, after: [{ id, data }] }))

function u32(value: number, big = false): Buffer {
  const bytes = Buffer.alloc(4)
  if (big) bytes.writeUInt32BE(value)
  else bytes.writeUInt32LE(value)
  return bytes
}

interface Entry {
  readonly id: string
  readonly text: string | Uint8Array
}

function infoList(entries: readonly Entry[], { big = false, padded = true } = {}): Buffer {
  const subchunks = entries.map(({ id, text }) => {
    const data = Buffer.from(text)
    return Buffer.concat([
      Buffer.from(id),
      u32(data.length, big),
      data,
      Buffer.alloc(padded ? data.length % 2 : 0),
    ])
  })
  return Buffer.concat([Buffer.from('INFO'), ...subchunks])
}

describe('LIST/INFO', () => {
  const entries = [
    { id: 'INAM', text: 'Ночь\0' },
    { id: 'ISFT', text: 'Lavf59' },
    { id: 'IART', text: 'Кино' },
    { id: 'IPRD', text: 'abc' },
    { id: 'ICRD', text: '1988-01-05' },
    { id: 'ICMT', text: 'line 1\r\nline 2' },
    { id: 'IGNR', text: 'Rock' },
  ]
  const expected = {
    ...{
      title: 'Ночь',
      artist: 'Кино',
      album: 'abc',
      date: '1988-01-05',
      comment: 'line 1 line 2',
      genre: 'Rock',
    },
  }

  test.each<[string, WavSpec]>([
    ['before the audio', { between: [{ id: 'LIST', data: infoList(entries) }] }],
    ['before the format', { before: [{ id: 'LIST', data: infoList(entries) }] }],
    ['behind the audio', { after: [{ id: 'LIST', data: infoList(entries) }] }],
    [
      'behind audio of odd size',
      {
        ...{ encoding: 'u8', channels: 1, samples: 11 },
        after: [{ id: 'LIST', data: infoList(entries) }],
      },
    ],
    ['without pad bytes', { after: [{ id: 'LIST', data: infoList(entries, { padded: false }) }] }],
    ['in RIFX', { container: 'RIFX', after: [{ id: 'LIST', data: infoList(entries, { big: true }) }] }],
    ['in RF64', { container: 'RF64', after: [{ id: 'LIST', data: infoList(entries) }] }],
  ])('is read %s', (_where, spec) => {
    expect(tagsOf(buildWav({ samples: 10, ...spec }))).toEqual(expected)
  })

  test('is windows-1252 where it is no UTF-8', () => {
    const text = Buffer.from('Caf\xe9 \x80 5', 'latin1')
    expect(tagsIn('LIST', infoList([{ id: 'INAM', text }]))).toEqual({ title: 'Café € 5' })
  })

  test('keeps the first of two, and nothing of other lists', () => {
    const first = {
      id: 'LIST',
      data: infoList([
        { id: 'INAM', text: 'one' },
        { id: 'INAM', text: 'two' },
      ]),
    }
    const second = {
      id: 'LIST',
      data: infoList([
        { id: 'INAM', text: 'three' },
        { id: 'IART', text: 'four' },
      ]),
    }
    const other = { id: 'LIST', data: Buffer.from('adtlINAM\x04\0\0\0five') }
    const wav = buildWav({ samples: 10, before: [other], between: [first], after: [second] })
    expect(tagsOf(wav)).toEqual({ title: 'one', artist: 'four' })
  })
})

describe('bext', () => {
  function bext({ description = '', originator = '', date = '', timeReference = 0n }): Buffer {
    const bytes = Buffer.alloc(602)
    bytes.write(description, 0, 'latin1')
    bytes.write(originator, 256, 'latin1')
    bytes.write(date, 320, 'latin1')
    bytes.write('10:30:00', 330, 'latin1')
    bytes.writeBigUInt64LE(timeReference, 338)
    return bytes
  }

  test('gives its originator, date, description and time reference', () => {
    const all = {
      description: 'Scene 4',
      originator: 'Zoom',
      date: '2024-02-29',
      timeReference: 6_000_000_000n,
    }
    expect(tagsIn('bext', bext(all))).toEqual({
      ...{ artist: 'Zoom', date: '2024-02-29', comment: 'Scene 4; time reference 6000000000 samples' },
    })
    expect(tagsIn('bext', bext({ description: 'x'.repeat(256), date: '0000-00-00' }))).toEqual({
      comment: 'x'.repeat(256),
    })
    expect(tagsIn('bext', bext({}).subarray(0, 300))).toEqual({})
  })

  test('counts less than INFO, and that less than ID3, wherever they stand', () => {
    const after = [
      { id: 'id3 ', data: buildId3Tag({ title: 'from ID3' }) },
      {
        id: 'LIST',
        data: infoList([
          { id: 'INAM', text: 'from INFO' },
          { id: 'IART', text: 'from INFO' },
        ]),
      },
      { id: 'bext', data: bext({ originator: 'from bext', date: '2024-02-29' }) },
    ]
    const expected = { title: 'from ID3', artist: 'from INFO', date: '2024-02-29' }
    expect(tagsOf(buildWav({ samples: 10, after }))).toEqual(expected)
    expect(tagsOf(buildWav({ samples: 10, before: after }))).toEqual(expected)
    expect(tagsOf(buildWav({ samples: 10, after: after.toReversed() }))).toEqual(expected)
  })
})

describe('an embedded ID3 tag', () => {
  const synchsafe = (size: number) => Buffer.from([21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f))

  function id3(
    version: 3 | 4,
    frames: readonly [string, Uint8Array, number?][],
    flags = 0,
    front = Buffer.alloc(0),
  ) {
    const body = frames.map(([id, content, frameFlags = 0]) => {
      const size = version === 4 ? synchsafe(content.length) : u32(content.length, true)
      return Buffer.concat([Buffer.from(id), size, Buffer.from([0, frameFlags]), content])
    })
    const all = Buffer.concat([front, ...body])
    return Buffer.concat([
      Buffer.from(['I', 'D', '3'].map((c) => c.charCodeAt(0))),
      Buffer.from([version, 0, flags]),
      synchsafe(all.length),
      all,
    ])
  }
  const latin1 = Buffer.from('\0Caf\xe9', 'latin1')
  const utf16 = Buffer.concat([Buffer.from([1, 0xff, 0xfe]), Buffer.from('Ночь', 'utf16le')])
  const utf16Big = Buffer.concat([Buffer.from([1, 0xfe, 0xff]), Buffer.from('Ночь', 'utf16le').swap16()])
  const utf16WithoutBom = Buffer.concat([Buffer.from([2]), Buffer.from('Ночь', 'utf16le').swap16()])
  const utf8 = Buffer.from('\x03Ночь')

  test.each<[string, Buffer, Tags]>([
    ['Latin-1', id3(3, [['TIT2', latin1]]), { title: 'Café' }],
    ['UTF-16', id3(3, [['TIT2', utf16]]), { title: 'Ночь' }],
    ['big-endian UTF-16', id3(3, [['TIT2', utf16Big]]), { title: 'Ночь' }],
    ['UTF-16 without its mark', id3(4, [['TIT2', utf16WithoutBom]]), { title: 'Ночь' }],
    ['UTF-8', id3(4, [['TIT2', utf8]]), { title: 'Ночь' }],
    [
      'other frames first',
      id3(4, [
        ['APIC', Buffer.alloc(300)],
        ['TPE1', utf8],
      ]),
      { artist: 'Ночь' },
    ],
    [
      'a day',
      id3(3, [
        ['TYER', Buffer.from('\x002024')],
        ['TDAT', Buffer.from('\x002902')],
      ]),
      { date: '2024-02-29' },
    ],
    ['a time', id3(4, [['TDRC', Buffer.from('\x032024-02-29T10:30')]]), { date: '2024-02-29' }],
    ['several artists', id3(4, [['TPE1', Buffer.from('\x03one\0two\0')]]), { artist: 'one / two' }],
    [
      'the comment, and not another kind of it',
      id3(4, [
        ['COMM', Buffer.from('\x03engiTunNORM\0 000')],
        ['COMM', Buffer.from('\x03eng\0said')],
      ]),
      { comment: 'said' },
    ],
    [
      'an extended head',
      id3(3, [['TIT2', latin1]], 0x40, Buffer.from([0, 0, 0, 6, 0, 0, 0, 0, 0, 0])),
      { title: 'Café' },
    ],
    [
      'an extended head of 2.4',
      id3(4, [['TIT2', utf8]], 0x40, Buffer.from([0, 0, 0, 6, 1, 0])),
      { title: 'Ночь' },
    ],
    ['unsynchronisation of a tag', id3(3, [['TIT2', Buffer.from('\x01\xff\0\xfea\0', 'latin1')]], 0x80), {}],
    [
      'a compressed frame',
      id3(3, [
        ['TIT2', latin1, 0x80],
        ['TPE1', latin1],
      ]),
      { artist: 'Café' },
    ],
    [
      'a length before the text',
      id3(4, [['TIT2', Buffer.concat([Buffer.alloc(4), utf8]), 1]]),
      { title: 'Ночь' },
    ],
    ['version 2', Buffer.concat([Buffer.from('ID3\x02\0\0\0\0\0\x10TT2\0\0\x05\0Old')]), {}],
    ['no tag at all', Buffer.from('nothing of the kind'), {}],
  ])('%s', (_, tag, tags) => {
    expect(tagsIn('id3 ', tag)).toEqual(tags)
    expect(tagsIn('ID3 ', tag)).toEqual(tags)
  })

  test('unsynchronised by the rules: a zero behind each 0xff, and sizes as they were before (2.3) or as stored (2.4)', () => {
    const text = Buffer.from('\x01\xff\xfea\0', 'latin1')
    const stuffed = Buffer.from('\x01\xff\0\xfea\0', 'latin1')
    const body3 = Buffer.concat([Buffer.from('TIT2'), u32(text.length, true), Buffer.alloc(2), stuffed])
    const tag3 = Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 3, 0, 0x80]), synchsafe(body3.length), body3])
    expect(tagsIn('id3 ', tag3)).toEqual({ title: 'a' })
    expect(tagsIn('id3 ', id3(4, [['TIT2', stuffed, 2]]))).toEqual({ title: 'a' })
    expect(tagsIn('id3 ', id3(4, [['TIT2', stuffed]], 0x80))).toEqual({ title: 'a' })
  })

  test('gives what our own writer wrote', () => {
    const tags = {
      title: 'Ночь',
      artist: 'Café',
      album: 'x',
      date: '2024-02-29',
      comment: '\u{1f3b5}',
      genre: '(17)',
    }
    expect(tagsIn('id3 ', buildId3Tag(tags))).toEqual(tags)
  })
})

test.skipIf(missing('ffmpeg'))('what ffmpeg writes of its metadata is read back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-tags-'))
  try {
    const file = join(folder, 'a.wav')
    const tags = { title: 'Ночь', artist: 'Café', album: 'x', date: '2003', comment: 'said', genre: 'Rock' }
    const metadata = Object.entries(tags).flatMap(([key, text]) => ['-metadata', `${key}=${text}`])
    const source = ['-f', 'lavfi', '-i', 'sine=duration=0.1']
    await run('ffmpeg', ['-v', 'error', '-nostdin', ...source, ...metadata, file])
    expect(tagsOf(await readFile(file))).toEqual(tags)
    const broadcast = ['-write_bext', '1', '-metadata', 'description=Scene 4', '-metadata', 'originator=Zoom']
    await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...source, ...broadcast, file])
    expect(tagsOf(await readFile(file))).toMatchObject({ comment: 'Scene 4', artist: 'Zoom' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

describe('hostile files', () => {
  const list = {
    id: 'LIST',
    data: infoList([
      { id: 'INAM', text: 'Title' },
      { id: 'ICMT', text: 'y'.repeat(300) },
    ]),
  }
  const tag = { id: 'id3 ', data: buildId3Tag({ artist: 'Ночь', comment: 'Café' }) }
  const files = [
    buildWav({ samples: 5, between: [list], after: [tag] }),
    buildWav({
      samples: 5,
      container: 'RF64',
      before: [tag],
      after: [list, { id: 'bext', data: Buffer.alloc(602, 0x41) }],
    }),
    buildWav({ samples: 5, declared: { riffBytes: 0, dataBytes: 0 }, between: [tag] }),
  ]
  const change = fc.record({ at: fc.nat(900), value: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0xff)) })
  const damaged = fc
    .tuple(fc.constantFrom(...files), fc.array(change, { maxLength: 8 }), fc.nat(1500))
    .map(([file, changes, cut]) => {
      const bytes = Buffer.from(file)
      for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value
      return cut < 700 ? bytes.subarray(0, cut) : bytes
    })
  const randomChunk = fc
    .tuple(fc.constantFrom('LIST', 'bext', 'id3 '), fc.uint8Array({ maxLength: 500 }), fc.boolean())
    .map(([id, bytes, isKnown]) => {
      const begin = isKnown
        ? Buffer.from(id === 'LIST' ? 'INFOINAM' : 'ID3\x04\0\0\0\0\x03\0TIT2', 'latin1')
        : Buffer.alloc(0)
      return buildWav({ samples: 5, after: [{ id, data: Buffer.concat([begin, bytes]) }] })
    })

  test('damaged and random ones give tags that could be an upload’s, the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.oneof(damaged, randomChunk), fc.integer({ min: 1, max: 100 }), (file, pieceBytes) => {
        const tags = tagsOf(file)
        expect(parseTags(new Map(Object.entries(tags)))).toEqual(tags)
        expect(tagsOf(file, pieceBytes)).toEqual(tags)
      }),
      { numRuns: 5000 },
    )
  })

  test('of a chunk of megabytes the first 64 KiB are looked at, and what follows it is found', () => {
    const long = infoList([
      { id: 'INAM', text: 'Title' },
      { id: 'ICMT', text: 'y'.repeat(3_000_000) },
      { id: 'IART', text: 'x' },
    ])
    const after = [
      { id: 'LIST', data: long },
      { id: 'LIST', data: infoList([{ id: 'IPRD', text: 'z' }]) },
    ]
    expect(tagsOf(buildWav({ samples: 10, after }), 100_000)).toEqual({ title: 'Title', album: 'z' })
  })

  test('chunks that claim more than the file has, or that never end, end the search', () => {
    const lying = { id: 'LIST', data: list.data, declaredBytes: 0xffff_fff0 }
    expect(tagsOf(buildWav({ samples: 10, after: [lying] }))).toMatchObject({ title: 'Title' })
    const empty = Array.from({ length: 2000 }, () => ({ id: 'JUNK', data: Buffer.alloc(0) }))
    expect(tagsOf(buildWav({ samples: 10, after: [...empty, list] }))).toEqual({})
  })
})
