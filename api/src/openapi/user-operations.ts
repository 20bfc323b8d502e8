/** Describes the addresses of users. */
import { exampleUser } from './examples.ts'
import { rateHeaders } from './headers.ts'
import type { Operation } from './operation.ts'

/** Where the admin password lets in. */
const adminProblems = ['unauthorized', 'cross-site', 'too-many-logins'] as const

/** Of what the user may do by the token, and the admin for anybody. */
const helpProblems = [
  ...adminProblems,
  'bad-field',
  'bad-name',
  'missing-field',
  'duplicate-field',
  'unknown-user',
  'unsupported-media-type',
] as const

export const userOperations: Readonly<Record<string, Operation>> = {
  'POST /user': {
    id: 'createUser',
    tag: 'Users',
    summary: 'Create a user',
    description:
      'The token is shown this once: only its hash is kept. With `REGISTRATION=admin` it needs the admin password.',
    admin: true,
    body: { 'application/json': {}, 'application/x-www-form-urlencoded': {} },
    bodyExample: { name: exampleUser.name },
    answers: {
      201: { description: 'The user, and the token.', mayHave: rateHeaders, example: exampleUser },
    },
    problems: [
      'malformed-body',
      'bad-field',
      'missing-field',
      'unknown-field',
      'bad-name',
      'name-taken',
      ...adminProblems,
      'rate-limited',
      'overloaded',
      'too-large',
      'unsupported-media-type',
    ],
  },
  'POST /user/token': {
    id: 'renewToken',
    tag: 'Users',
    summary: 'Get a new token',
    description:
      'The old one ends with it. The admin may ask for it too, also by `name`: for a token that is lost.',
    token: 'required',
    admin: true,
    answers: {
      200: {
        description: 'The new token, shown this once.',
        example: { id: exampleUser.id, token: 'c4b5a697-8879-4a6b-9c5d-4e3f2011f0e1' },
      },
    },
    problems: helpProblems,
  },
  'DELETE /user': {
    id: 'deleteUser',
    tag: 'Users',
    summary: 'Delete a user',
    description:
      'With all recordings of theirs, also those in the making. The name is free again. The admin may do it too.',
    token: 'required',
    admin: true,
    answers: { 204: { description: 'It is gone.' } },
    problems: helpProblems,
  },
}
