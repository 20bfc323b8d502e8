/** Starts programs, each as the head of a process group, so that a script dies with its children; the only file that starts any. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { TranscodeError } from '@wavemill/core/failures'
import { failureOfExit, failureOfSpawn } from './ffmpeg-failure.ts'

const KEPT_CHARACTERS = 65_536

export interface ProcessGroup {
  readonly child: ChildProcess
  /** SIGKILL to all of it. Does nothing once it has ended. */
  kill(): void
}

/**
 * Starts a program with pipes. A Ctrl-C at the terminal does not reach it: its group is not the terminal's.
 *
 * @param stdin `ignore`: it is empty.
 * @param ended is called once: with nothing where it ended well and its output has been read, otherwise with the failure.
 * @returns undefined if it could not be started; `ended` hears why.
 */
export function startGroup(
  path: string,
  args: readonly string[],
  stdin: 'pipe' | 'ignore',
  ended: (failure: TranscodeError | null) => void,
): ProcessGroup | undefined {
  let child: ChildProcess
  try {
    child = spawn(path, args, { detached: true, stdio: [stdin, 'pipe', 'pipe'] })
  } catch (error) {
    ended(failureOfSpawn(error)) // out of memory; all other reasons come as an event
    return undefined
  }
  const { pid, stdout, stderr } = child
  if (pid === undefined || stdout === null || stderr === null) {
    child.once('error', (error) => ended(failureOfSpawn(error)))
    return undefined
  }
  giveWay(pid)
  let complaint = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-KEPT_CHARACTERS)
  })
  let hasEnded = false
  child.once('exit', (code) => {
    if (code !== 0) killGroup(pid) // children that are left would keep the pipes open
  })
  child.once('close', (code, signal) => {
    hasEnded = true
    ended(code === 0 ? null : failureOfExit({ code, signal, stderr: complaint }))
  })
  return {
    child,
    kill() {
      if (hasEnded) return
      killGroup(pid)
      stdout.destroy() // what nobody reads any more would hold back 'close'
      stderr.destroy()
    },
  }
}

/**
 * What a program prints; undefined if it fails or takes too long.
 *
 * @throws TranscodeError if it cannot be started.
 */
export function readOutput(
  path: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = ''
    let group: ProcessGroup | undefined
    const timer = setTimeout(() => group?.kill(), timeoutMs)
    group = startGroup(path, args, 'ignore', (failure) => {
      clearTimeout(timer)
      if (group === undefined) reject(failure)
      else resolve(failure === null ? text : undefined)
    })
    group?.child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-KEPT_CHARACTERS)
    })
  })
}

/** Where the cores are short, whoever answers users goes first. */
function giveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // it has ended already
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // nobody is left: ESRCH, or EPERM on macOS where only a zombie is
  }
}
