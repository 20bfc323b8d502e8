/** Bounds what an ffmpeg may take, by util-linux's prlimit where there is one: what it reads was made by a stranger. */
import { existsSync } from 'node:fs'

const PRLIMIT_PATHS = ['/usr/bin/prlimit', '/bin/prlimit']
// 40 MiB are enough for every format that we take.
const MEMORY_BYTES = 512 * 1_048_576
// It writes to pipes, to which this does not apply; an FFMPEG_PATH that is a script may keep a note.
const FILE_BYTES = 1_048_576

/**
 * The command that runs `path` with bounds; it becomes that program, so that process ids and signals stay what they are.
 * An allocation beyond them fails, which ffmpeg says and ends.
 */
export function limitResources(path: string, args: readonly string[]): [string, string[]] {
  const prlimit = PRLIMIT_PATHS.find((candidate) => existsSync(candidate))
  if (prlimit === undefined) return [path, [...args]]
  return [prlimit, [`--data=${MEMORY_BYTES}`, `--fsize=${FILE_BYTES}`, '--core=0', path, ...args]]
}
