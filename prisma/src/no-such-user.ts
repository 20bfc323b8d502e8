/** The error of an insertion whose user does not exist, or does not any more. */
export class NoSuchUser extends Error {
  constructor(userId: string) {
    super(`There is no user ${userId}`)
    this.name = 'NoSuchUser'
  }
}
