/** Finds the service's processes below its supervisor and reads their memory from /proc (Linux only). */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const SAMPLE_EVERY_MS = 20

/**
 * The one descendant of `ancestorPid` whose command line holds `part`, such as `api/dist/main.js`.
 *
 * @throws if there is none, or more than one.
 */
export async function findDescendant(ancestorPid: number, part: string): Promise<number> {
  const [pid, ...others] = await findDescendants(ancestorPid, part)
  if (pid !== undefined && others.length === 0) return pid
  const count = pid === undefined ? 0 : 1 + others.length
  throw new Error(`${count} processes below ${ancestorPid} run ${part}, not one`)
}

/** Every descendant whose command line holds `part`, at this moment. */
export async function findDescendants(ancestorPid: number, part: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of await descendantsOf(ancestorPid)) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (commandLine.includes(part)) found.push(pid)
  }
  return found
}

/** Resident memory of a process, in MB of 1,048,576 bytes. */
export async function residentMb(pid: number): Promise<number> {
  return statusFieldMb(pid, 'VmRSS')
}

/**
 * Follows the most memory that a process holds from now on.
 *
 * The kernel's own high-water mark is exact where it may be reset; elsewhere the memory is sampled.
 */
export async function watchPeakMb(pid: number): Promise<{ stop(): Promise<number> }> {
  // 5 resets VmHWM: https://docs.kernel.org/filesystems/proc.html
  const isReset = await writeFile(`/proc/${pid}/clear_refs`, '5').then(
    () => true,
    () => false,
  )
  if (isReset) return { stop: () => statusFieldMb(pid, 'VmHWM') }

  let isWatching = true
  const sampling = (async () => {
    let peak = 0
    while (isWatching) {
      peak = Math.max(peak, await residentMb(pid))
      await sleep(SAMPLE_EVERY_MS)
    }
    return peak
  })()
  return {
    stop: () => {
      isWatching = false
      return sampling
    },
  }
}

/** Every process below it, at this moment. */
export async function descendantsOf(ancestorPid: number): Promise<number[]> {
  const children = new Map<number, number[]>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = await parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = [...(children.get(ancestorPid) ?? [])]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name before it stands in parentheses and may hold anything, so count from the last one.
  const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  return parent === undefined ? undefined : Number(parent)
}

async function statusFieldMb(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}`)
  return Number(kilobytes) / 1024
}
