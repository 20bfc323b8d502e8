/** Finds the files in what was dropped, in folders and their folders too. */

export interface Dropped {
  readonly files: readonly File[]
  readonly hadFolder: boolean
}

/** To be called while the event is handled: what was dropped is forgotten after it. */
export async function droppedFiles(transfer: DataTransfer): Promise<Dropped> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return { files: [...transfer.files], hadFolder: false } // it is no file of a file system
  const found = await Promise.all(entries.map(filesOf))
  return { files: found.flat(), hadFolder: entries.some(({ isDirectory }) => isDirectory) }
}

export function onlyWavs(files: readonly File[]): File[] {
  return files.filter(({ name }) => /\.(wav|wave|rf64|bw64)$/i.test(name) && !name.startsWith('.'))
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (isFile(entry)) return [await new Promise<File>((resolve, reject) => entry.file(resolve, reject))]
  if (!isFolder(entry)) return []
  const files: File[] = []
  const reader = entry.createReader()
  // It gives a hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (some.length === 0) return files
    for (const inner of some) files.push(...(await filesOf(inner)))
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}
