/** The audit log: one line, under a name out of a closed set, for whatever somebody will want to know later. */
import type { FastifyRequest } from 'fastify'

export type AuditEvent =
  | 'user-created'
  | 'user-deleted'
  | 'token-renewed'
  | 'record-created'
  | 'record-deleted'
  | 'queue-changed' // through the dashboard
  | 'token-refused'
  | 'login-refused' // of the admin
  | 'login-throttled'

/** What of a request says who asked. */
export type Asker = Pick<FastifyRequest, 'log' | 'ip'>

interface AuditDetails {
  readonly by?: 'user' | 'admin'
  readonly userId?: string
  /** In decimal. A record's id is the secret of its link. */
  readonly recordKey?: string
  /** Of the queue: what was asked of it. */
  readonly request?: string
}

/** Never hand it a token, a password, or a name: a name may be somebody's mail address. */
export function audit({ log, ip }: Asker, event: AuditEvent, details: AuditDetails = {}): void {
  const { by, userId, recordKey, request } = details // one by one: whoever calls may have more in its hand
  log.info({ audit: event, address: ip, by, userId, recordKey, request }, 'audit')
}
