/** The settings that say who may do what from where: registration, other web sites, proxies. */
import { isIP } from 'node:net'

export interface AccessSettings {
  /** Who may create users. */
  readonly registration: 'open' | 'admin'
  /** Web sites whose scripts may read answers, such as `https://app.example`; `*` is every site. */
  readonly corsOrigins: readonly string[]
  /** Proxies whose X-Forwarded headers count: addresses, subnets, or names of ranges. None: nobody's. */
  readonly trustProxy: readonly string[]
}

interface Reader {
  readonly mistakes: string[]
  text(name: string): string | undefined
  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T
}

export function readAccessSettings(read: Reader): AccessSettings {
  return {
    registration: read.oneOf('REGISTRATION', ['open', 'admin'], 'open'),
    corsOrigins: readList(read, 'CORS_ORIGINS', isOrigin, '* or origins such as https://app.example'),
    trustProxy: readList(read, 'TRUST_PROXY', isProxy, 'addresses such as 127.0.0.1, 10.0.0.0/8 or loopback'),
  }
}

/** @returns what stands between the commas. */
function readList(
  read: Reader,
  name: string,
  isValid: (item: string) => boolean,
  what: string,
): readonly string[] {
  const items = (read.text(name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  for (const item of items) {
    if (!isValid(item)) read.mistakes.push(`${name} must be ${what}, with commas between them, not "${item}"`)
  }
  return items
}

/** As browsers write an Origin header (RFC 6454): they compare it character by character. */
function isOrigin(item: string): boolean {
  if (item === '*') return true
  return /^https?:/.test(item) && URL.canParse(item) && new URL(item).origin === item
}

/** No number of hops and no `true`: with either, whoever reaches the port itself could call himself any address. */
function isProxy(item: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(item)) return true
  const [address = '', bits, ...others] = item.split('/')
  const most = { 4: 32, 6: 128 }[isIP(address)]
  if (most === undefined || others.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most)
}
