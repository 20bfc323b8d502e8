/** The temporary folder in which a run of the benchmarks keeps its files, on the repository's own disk. */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from './service.ts'

export interface Workplace {
  readonly folder: string
  newFolder(): Promise<string>
  /** Says what is being measured, on stderr, so that stdout holds the table alone. */
  tell(line: string): void
}

/** Gives `work` a folder and removes it with all that is in it. It is no tmpfs: what fsync costs is part of a figure. */
export async function withWorkplace<T>(work: (workplace: Workplace) => Promise<T>): Promise<T> {
  const results = join(repositoryRoot, 'bench', 'results')
  await mkdir(results, { recursive: true })
  const folder = await mkdtemp(join(results, 'run-'))
  const removeNow = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeNow)
  try {
    return await work({
      folder,
      newFolder: () => mkdtemp(join(folder, 'data-')),
      tell: (line) => console.error(`  ${line}`),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
    process.off('exit', removeNow)
  }
}
