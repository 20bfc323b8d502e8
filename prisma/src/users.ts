/** Users: their names are unique, and of their tokens only a hash is known. */
import type { Database } from './database.ts'
import { Prisma } from './generated/client.ts'

const UNIQUE_CONSTRAINT = 'P2002'

/**
 * @param user.id a UUID. @param user.name trimmed, NFC, 1..100 characters. @param user.tokenHash SHA-256 of the token.
 */
export async function createUser(
  db: Database,
  user: { id: string; name: string; tokenHash: Buffer },
): Promise<'created' | 'name-taken'> {
  try {
    await db.prisma.user.create({
      data: { id: user.id, name: user.name, tokenHash: Uint8Array.from(user.tokenHash) },
      select: { id: true },
    })
    return 'created'
  } catch (error) {
    const isTaken = error instanceof Prisma.PrismaClientKnownRequestError && error.code === UNIQUE_CONSTRAINT
    if (isTaken) return 'name-taken' // the id is random: it is the name
    throw error
  }
}

/**
 * @param userId a UUID.
 * @returns undefined if there is no such user.
 */
export async function findTokenHash(db: Database, userId: string): Promise<Buffer | undefined> {
  const user = await db.prisma.user.findUnique({ where: { id: userId }, select: { tokenHash: true } })
  return user === null ? undefined : Buffer.from(user.tokenHash)
}

/** @returns undefined if there is no such user. */
export async function findUserId(
  db: Database,
  where: { readonly id: string } | { readonly name: string },
): Promise<string | undefined> {
  const user = await db.prisma.user.findUnique({ where, select: { id: true } })
  return user?.id
}

/**
 * Replaces a user's token.
 *
 * @param hash.from what must still be stored, or nothing is changed; undefined: whatever it is.
 * @returns whether it was.
 */
export async function replaceTokenHash(
  db: Database,
  userId: string,
  hash: { readonly from: Buffer | undefined; readonly to: Buffer },
): Promise<boolean> {
  const { count } = await db.prisma.user.updateMany({
    where: {
      id: userId,
      ...(hash.from !== undefined && { tokenHash: Uint8Array.from(hash.from) }),
    },
    data: { tokenHash: Uint8Array.from(hash.to) },
  })
  return count === 1
}
