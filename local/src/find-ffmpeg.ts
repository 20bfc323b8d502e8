/** Finds the ffmpeg that the workers of `npm start` use: the one that is named, the system's, or the packaged one. */
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export interface FoundFfmpeg {
  readonly path: string
  /** True for the one of the npm package: it is old, and about 2.5 times slower. */
  readonly isPackaged: boolean
}

/**
 * @param named FFMPEG_PATH, taken as it is; the worker says if it is no good.
 * @param searchPath PATH.
 * @throws Error with what to do, where there is none at all.
 */
export async function findFfmpeg(named: string | undefined, searchPath: string): Promise<FoundFfmpeg> {
  if (named !== undefined) return { path: named, isPackaged: false }
  for (const folder of searchPath.split(delimiter)) {
    const path = join(folder, 'ffmpeg')
    if (folder !== '' && (await isExecutable(path))) return { path, isPackaged: false }
  }
  try {
    const { default: packaged } = await import('@ffmpeg-installer/ffmpeg')
    return { path: packaged.path, isPackaged: true }
  } catch (cause) {
    throw new Error('there is no ffmpeg: install one, or set FFMPEG_PATH', { cause })
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
