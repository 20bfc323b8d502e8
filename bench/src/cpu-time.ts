/** Reads from /proc how much of the processors' time processes have used (Linux only). */
import { readFile } from 'node:fs/promises'

/** Linux shows times to programs in hundredths of a second, whatever it counts in itself (USER_HZ, see time(7)). */
const TICKS_PER_SECOND = 100

/** User and system time of the processes so far, and of all their children that have ended. @returns seconds. */
export async function cpuSecondsOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(async (pid) => sum(await timesOf(pid))))
  return sum(each)
}

/** What the children cost that this process had while `work` ran and that ended with it. @returns seconds. */
export async function cpuSecondsOfChildren(work: () => Promise<unknown>): Promise<number> {
  const childrenSoFar = async () => sum((await timesOf(process.pid)).slice(2, 4))
  const before = await childrenSoFar()
  await work()
  return (await childrenSoFar()) - before
}

/** utime, stime, cutime and cstime, the fields 14 to 17 of proc_pid_stat(5), in seconds. */
async function timesOf(pid: number): Promise<number[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name before them stands in parentheses and may hold anything, so count from the last one: there begins field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).map((ticks) => Number(ticks) / TICKS_PER_SECOND)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
