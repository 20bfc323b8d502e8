/** Finds or makes WAV files of real music and of speech, from what Debian's packages bring. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { recordingOf } from './material.ts'
import { run, runFfmpeg } from './plain-tools.ts'
import { repositoryRoot } from './service.ts'
import type { Workplace } from './workplace.ts'

export interface Sound {
  /** What it is, for people. */
  readonly name: string
  readonly wavPath: string
}

/** Games whose packages hold several minutes of music as Ogg files. */
const MUSIC_PACKAGES = ['extremetuxracer-data', 'lincity-ng-data']

/** Music of an installed game, as a CD has it; where there is none, chords of our own. */
export async function makeMusic(workplace: Workplace, seconds: number): Promise<Sound> {
  const wavPath = join(workplace.folder, 'music.wav')
  for (const name of MUSIC_PACKAGES) {
    const oggPaths = await oggFilesOf(name)
    if (oggPaths.length === 0) continue
    await joinInto(wavPath, oggPaths, seconds, workplace)
    return { name: `music of ${name}`, wavPath }
  }
  workplace.tell(`none of ${MUSIC_PACKAGES.join(', ')} is installed: chords instead of music`)
  await writeFile(wavPath, recordingOf({ seconds }).stream())
  return { name: 'chords for want of music', wavPath }
}

/** One of this repository's pages, read aloud again and again. @returns undefined where there is no espeak-ng. */
export async function makeSpeech(workplace: Workplace, seconds: number): Promise<Sound | undefined> {
  const oncePath = join(workplace.folder, 'spoken-once.wav')
  try {
    await run('espeak-ng', ['-f', join(repositoryRoot, 'docs', 'joining.md'), '-w', oncePath])
  } catch (error) {
    if (!isMissingProgram(error)) throw error
    workplace.tell('speech: left out, there is no espeak-ng')
    return undefined
  }
  const wavPath = join(workplace.folder, 'speech.wav')
  await runFfmpeg(['-stream_loop', '-1', '-i', oncePath, '-t', String(seconds), wavPath])
  return { name: 'speech of espeak-ng', wavPath }
}

async function oggFilesOf(packageName: string): Promise<string[]> {
  // It fails where the package is not installed, and where there is no dpkg.
  const listing = await promisify(execFile)('dpkg', ['-L', packageName]).catch(() => undefined)
  return listing?.stdout.split('\n').filter((path) => path.endsWith('.ogg')) ?? []
}

/** Decodes the pieces one after another, from the first again after the last, until `seconds` are full. */
async function joinInto(
  wavPath: string,
  paths: readonly string[],
  seconds: number,
  { folder }: Workplace,
): Promise<void> {
  const wavPaths: string[] = []
  for (const [index, path] of paths.entries()) {
    const piece = join(folder, `piece-${index}.wav`)
    await runFfmpeg(['-i', path, '-map', '0:a', '-ar', '44100', '-ac', '2', piece])
    wavPaths.push(piece)
  }
  // ffmpeg's list of files to be joined: https://ffmpeg.org/ffmpeg-formats.html#concat
  const list = join(folder, 'pieces.txt')
  await writeFile(list, wavPaths.map((path) => `file '${path}'\n`).join(''))
  const joined = ['-f', 'concat', '-safe', '0', '-stream_loop', '-1', '-i', list]
  await runFfmpeg([...joined, '-t', String(seconds), '-codec', 'copy', wavPath])
}

function isMissingProgram(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
