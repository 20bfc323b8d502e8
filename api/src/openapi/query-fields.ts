/** What each query field means, whatever the address. */
import { exampleRecord, exampleUser } from './examples.ts'

interface QueryField {
  readonly description: string
  readonly example: string
}

export const queryFields: Readonly<Record<string, QueryField>> = {
  id: { description: 'The recording: a UUID, as the upload was answered.', example: exampleRecord.id },
  user: { description: 'Whose it is: the UUID of the user.', example: exampleUser.id },
  name: { description: 'Instead of `user`, for the admin: the name of the user.', example: exampleUser.name },
  download: {
    description: '`0`: a browser plays the MP3. `1`, and without it: a browser saves it.',
    example: '0',
  },
  ids: {
    description: 'Up to 50 recordings of one user: UUIDs with commas between them.',
    example: exampleRecord.id,
  },
  limit: { description: 'How many at most: 1 to 100; without it 20.', example: '20' },
  cursor: { description: 'The `nextCursor` of the page before.', example: exampleRecord.id },
  status: {
    description: 'Only those in this state: `queued`, `processing`, `ready` or `failed`.',
    example: 'ready',
  },
}
