/** The fields of an upload's multipart form, as a schema: the form is read as a stream, so nothing validates it whole. */
import { bitratesOfRate } from '@wavemill/core/encode-options'
import { MP3_RATES } from '@wavemill/core/mp3-format'
import Type, { type TSchema } from 'typebox'
import { OPTION_FIELDS, type OptionField } from '../upload-options.ts'
import { exampleUser } from './examples.ts'

const bitrates = [...new Set(MP3_RATES.flatMap(bitratesOfRate))].sort((a, b) => a - b)

function tag(description: string): TSchema {
  return Type.Optional(Type.String({ description, maxLength: 1000 }))
}

const optionSchemas: Readonly<Record<OptionField | 'expires', TSchema>> = {
  quality: Type.Optional(
    Type.Integer({ description: 'VBR: 0 is best. Not with `bitrate`.', minimum: 0, maximum: 9, default: 2 }),
  ),
  bitrate: Type.Optional(
    Type.Integer({
      description: 'CBR in kbit/s; which there are depends on the rate of the MP3. Not with `quality`.',
      enum: bitrates,
    }),
  ),
  channels: Type.Optional(
    Type.Integer({ description: 'Without it, as the recording has: mono or stereo.', enum: [1, 2] }),
  ),
  sampleRate: Type.Optional(
    Type.Integer({ description: 'Hz. Without it, the nearest that MP3 knows.', enum: [...MP3_RATES] }),
  ),
  title: tag('A tag of the MP3, and the name under which it is saved. Tags win over those in the WAV.'),
  artist: tag('A tag of the MP3.'),
  album: tag('A tag of the MP3.'),
  date: tag('A tag of the MP3: `YYYY` or `YYYY-MM-DD`.'),
  comment: tag('A tag of the MP3.'),
  genre: tag('A tag of the MP3.'),
  expires: Type.Optional(
    Type.String({
      description: 'When it is to be gone: after a number of seconds, or at a time (RFC 3339).',
      examples: ['86400', '2030-01-31T12:00:00Z'],
    }),
  ),
}

const options = Object.fromEntries(OPTION_FIELDS.map((field) => [field, optionSchemas[field]]))

export const UploadForm = Type.Object(
  {
    user: Type.String({ format: 'uuid', examples: [exampleUser.id] }),
    token: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'Here or as `Authorization: Bearer`, not in both.',
        examples: [exampleUser.token],
      }),
    ),
    file: Type.String({
      format: 'binary',
      contentMediaType: 'audio/wav',
      description: 'The WAV. Best sent last: it is refused at once where user and token are wrong.',
    }),
    ...options,
  },
  { additionalProperties: false, required: ['user', 'file'] },
)
