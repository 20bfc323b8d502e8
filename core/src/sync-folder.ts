/** Makes durable what was renamed into a folder, or removed from it. */
import { open } from 'node:fs/promises'

export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  await folder.sync().finally(() => folder.close())
}
