/** Reads from /proc how much of the processors' time processes have used (Linux only). */
import { readFile } from 'node:fs/promises'

/** Linux shows times to programs in hundredths of a second, whatever it counts in itself (USER_HZ, see time(7)). */
const TICKS_PER_SECOND = 100

export interface CpuSeconds {
  readonly own: number
  /** Of all its children that have ended and been waited for, and of theirs. */
  readonly ofChildren: number
}

/** User and system time that a process has used so far, its children's apart. */
export async function cpuSecondsOf(pid: number): Promise<CpuSeconds> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name before them stands in parentheses and may hold anything, so count from the last one: there begins field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime, stime, cutime and cstime: fields 14 to 17 of proc_pid_stat(5).
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15).map(Number)
  return {
    own: (user + system) / TICKS_PER_SECOND,
    ofChildren: (childrenUser + childrenSystem) / TICKS_PER_SECOND,
  }
}

/** What the children cost that this process had while `work` ran and that ended with it. @returns seconds. */
export async function cpuSecondsOfChildren(work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSecondsOf(process.pid)
  await work()
  const after = await cpuSecondsOf(process.pid)
  return after.ofChildren - before.ofChildren
}
