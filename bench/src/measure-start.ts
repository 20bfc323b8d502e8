/** Measures how long `npm start` takes until it is ready: again, and (apart) in a fresh clone with empty caches. */
import { join } from 'node:path'
import type { Effort } from './effort.ts'
import { type Figure, median, withUnit } from './figures.ts'
import { run } from './plain-tools.ts'
import { repositoryRoot, startService } from './service.ts'
import type { Workplace } from './workplace.ts'

/** The first start makes the database and is not counted; each later one finds everything in place. */
export async function measureSecondStart(workplace: Workplace, effort: Effort): Promise<Figure[]> {
  const rounds = effort.rounds ?? 3
  const dataDir = await workplace.newFolder()
  const tookMs: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    workplace.tell(
      round === 0 ? 'npm start for the first time' : `npm start again, round ${round} of ${rounds}`,
    )
    const service = await startService({ dataDir, command: ['npm', 'start'] })
    if (round > 0) tookMs.push(service.readyAfterMs)
    await service.stop()
  }
  const seconds = tookMs.map((ms) => ms / 1000)
  return [
    {
      what: 'npm start for the second time: ready',
      detail: `${seconds.map((value) => withUnit(value, 's')).join(', ')}`,
      value: median(seconds),
      unit: 's',
      bar: 6,
    },
  ]
}

/** Clones the last commit and starts the clone with caches of its own: nothing of the user's is cleared or used. */
export async function measureFirstStart(workplace: Workplace): Promise<Figure[]> {
  workplace.tell('npm start in a fresh clone with empty caches')
  const folder = await workplace.newFolder()
  const clone = join(folder, 'wavemill')
  await run('git', ['clone', '--quiet', '--no-local', repositoryRoot, clone])
  const service = await startService({
    dataDir: join(folder, 'data'),
    command: ['npm', 'start'],
    cwd: clone,
    settings: {
      npm_config_cache: join(folder, 'npm-cache'),
      pnpm_config_store_dir: join(folder, 'pnpm-store'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      XDG_DATA_HOME: join(folder, 'share'),
    },
  })
  await service.stop()
  return [
    {
      what: 'npm start for the first time: ready',
      detail: 'a fresh clone, empty npm cache and pnpm store',
      value: service.readyAfterMs / 1000,
      unit: 's',
    },
  ]
}
