/** Feeds a file to the header reader in pieces of a given size, as an upload does. */
import { createWavHeaderReader, type WavHeader } from '../../src/wav-header.ts'

/** @param pieceBytes by default the whole file at once. */
export function readHeader(file: Uint8Array, pieceBytes: number = Math.max(1, file.length)): WavHeader {
  const reader = createWavHeaderReader()
  for (let start = 0; start < file.length; start += pieceBytes) {
    const header = reader.push(file.subarray(start, start + pieceBytes))
    if (header !== undefined) return header
  }
  return reader.end()
}

/** What {@link readHeader} throws. */
export function refusalOf(file: Uint8Array, pieceBytes?: number): unknown {
  try {
    readHeader(file, pieceBytes)
  } catch (error) {
    return error
  }
  throw new Error('The header was taken')
}
