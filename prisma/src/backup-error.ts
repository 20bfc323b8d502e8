/** Why a backup cannot be taken or restored, said to whoever asked for it. */

/** Its message is a sentence for people. */
export class BackupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BackupError'
  }
}

export function damaged(what: string, cause?: unknown): BackupError {
  return new BackupError(`The backup is damaged: ${what}`, { cause })
}
