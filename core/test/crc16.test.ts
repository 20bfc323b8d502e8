/** The CRC against published values: the RevEng catalogue's check value of CRC-16/ARC, and files that LAME wrote. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { crc16 } from '../src/crc16.ts'

test('the digits 1 to 9 give the catalogue value', () => {
  expect(crc16(Buffer.from('123456789'))).toBe(0xbb3d)
})

test('nothing gives 0, and pieces give the same as the whole', () => {
  expect(crc16(new Uint8Array(0))).toBe(0)
  expect(crc16(Buffer.from('456789'), crc16(Buffer.from('123')))).toBe(0xbb3d)
})

test("LAME's own tag CRC is that of the frame's bytes before it", async () => {
  const mp3 = await readFile(new URL('fixtures/lame-vbr-44100-stereo.mp3', import.meta.url))
  expect(crc16(mp3.subarray(0, 190))).toBe(mp3.readUInt16BE(190))
})
