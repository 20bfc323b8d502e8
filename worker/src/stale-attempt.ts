/** The fence said no: the record was deleted, or a later attempt owns the segment. Not an error: the work is simply over. */
export class StaleAttempt extends Error {
  constructor() {
    super('The attempt no longer owns the segment')
    this.name = 'StaleAttempt'
  }
}
