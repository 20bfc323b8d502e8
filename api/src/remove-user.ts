/** Removes a user with all that is theirs: each recording by itself, and then the user with those that came meanwhile. */
import { deleteUser, removableRecords } from '@wavemill/prisma/delete-user'
import { type RemovalParts, removeLeftovers, removeRecording } from './remove-recording.ts'

/**
 * The token stays good until the end, so that a removal that broke off can be asked for again. An upload that is under way
 * either has its rows before the end, and is removed with the rest, or finds no user any more and is refused.
 */
export async function removeUser(parts: RemovalParts, userId: string): Promise<void> {
  for await (const record of removableRecords(parts.db, userId)) await removeRecording(parts, record)
  for (const record of await deleteUser(parts.db, userId)) await removeLeftovers(parts, record)
}
