/** Describes the addresses of users. */
import { exampleUser } from './examples.ts'
import type { Operation } from './operation.ts'

export const userOperations: Readonly<Record<string, Operation>> = {
  'POST /user': {
    id: 'createUser',
    tag: 'Users',
    summary: 'Create a user',
    description: 'The token is shown this once: only its hash is kept.',
    body: { 'application/json': {}, 'application/x-www-form-urlencoded': {} },
    bodyExample: { name: exampleUser.name },
    answers: { 201: { description: 'The user, and the token.', example: exampleUser } },
    problems: [
      'malformed-body',
      'bad-field',
      'missing-field',
      'unknown-field',
      'bad-name',
      'name-taken',
      'too-large',
      'unsupported-media-type',
    ],
  },
  'POST /user/token': {
    id: 'renewToken',
    tag: 'Users',
    summary: 'Get a new token',
    description: 'The old one ends with it.',
    token: 'required',
    answers: {
      200: {
        description: 'The new token, shown this once.',
        example: { token: 'c4b5a697-8879-4a6b-9c5d-4e3f2011f0e1' },
      },
    },
    problems: ['bad-field', 'missing-field', 'duplicate-field', 'unauthorized', 'unsupported-media-type'],
  },
  'DELETE /user': {
    id: 'deleteUser',
    tag: 'Users',
    summary: 'Delete a user',
    description: 'With all recordings of theirs, also those in the making. The name is free again.',
    token: 'required',
    answers: { 204: { description: 'It is gone.' } },
    problems: ['bad-field', 'missing-field', 'duplicate-field', 'unauthorized', 'unsupported-media-type'],
  },
}
