/** Where clients reach this service: the base of every link that it hands out. */
import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

// host [":" port] of RFC 3986, section 3.2, without percent-encoding: the header is a stranger's, and goes into links.
const authority = /^(?:[a-z0-9](?:[a-z0-9._-]*)|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/**
 * Checks the Host header as RFC 9112, section 3.2 asks: exactly one in HTTP/1.1, and nothing but a host and a port.
 *
 * @throws Problem `malformed-request`.
 */
export function checkHost(request: FastifyRequest): void {
  const hosts = request.raw.headersDistinct.host ?? []
  const [host] = hosts
  if (host === undefined && request.raw.httpVersion === '1.0') return
  if (hosts.length === 1 && host !== undefined && host.length <= 255 && authority.test(host)) return
  throw new Problem('malformed-request', 'The Host header must be exactly one host, with or without a port.')
}

/**
 * Checks what a trusted proxy says that the client asked for, in the same way.
 *
 * @throws Problem `malformed-request`.
 */
export function checkForwarded({ host, protocol }: FastifyRequest): void {
  if (/^https?$/.test(protocol) && (host === '' || (host.length <= 255 && authority.test(host)))) return
  throw new Problem(
    'malformed-request',
    'X-Forwarded-Host must be a host, and X-Forwarded-Proto http or https.',
  )
}

/** @returns without a trailing slash. A request of HTTP/1.0 with no Host gets the address that it was sent to. */
export function baseUrlOf(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl
  const { localAddress = 'localhost', localPort = 80 } = request.socket
  const local = localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`
  return `${request.protocol}://${request.host || local}`
}

/** The link of a record, exactly as the product's owner asked for it. */
export function recordUrl(baseUrl: string, record: { id: string; userId: string }): string {
  return `${baseUrl}/record?id=${record.id}&user=${record.userId}`
}

export function statusUrl(baseUrl: string, record: { id: string; userId: string }): string {
  return `${baseUrl}/record/status?id=${record.id}&user=${record.userId}`
}
