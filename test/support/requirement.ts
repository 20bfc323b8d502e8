/** Tests that need a tool which this machine may lack: they skip with one loud line, and fail in CI. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const told = new Set<string>()

/**
 * Tells whether tests that need `tool` must be skipped, for `describe.skipIf(missing('redis-server'))`.
 *
 * @param tool a program that is looked for in the PATH.
 * @throws Error in CI (`CI=true`), where everything must be there.
 */
export function missing(tool: string): boolean {
  if (pathOf(tool) !== undefined) return false
  if (process.env.CI === 'true') throw new Error(`${tool} is not installed, and in CI no test may be skipped`)
  if (!told.has(tool)) console.error(`SKIPPED: tests that need ${tool}, which is not installed`)
  told.add(tool)
  return true
}

/** @returns where in the PATH a program is; undefined if it is nowhere. */
export function pathOf(tool: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, tool)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
