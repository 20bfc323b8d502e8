/** How what is added next is encoded and tagged. */
import { signal } from '@preact/signals'

/** As the API names them; an empty one is left out. */
export interface Options {
  /** `quality=2` or `bitrate=128`: one of the two. */
  readonly encoding: string
  readonly channels: string
  readonly title: string
  readonly artist: string
  readonly album: string
  readonly date: string
}

const defaultOptions: Options = {
  encoding: 'quality=2',
  channels: '',
  title: '',
  artist: '',
  album: '',
  date: '',
}

export const options = signal<Options>(defaultOptions)

export function optionFields(): Record<string, string> {
  const { encoding, ...others } = options.peek()
  const [field = '', value = ''] = encoding.split('=')
  const given = Object.entries({ ...others, [field]: value })
  return Object.fromEntries(
    given.map(([name, text]) => [name, text.trim()]).filter(([, text]) => text !== ''),
  )
}
