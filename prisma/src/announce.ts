/** Announces that a record's status or progress has changed, to whoever waits for it. */

/** PostgreSQL's notification channel of such changes; the payload is the record's key. */
export const RECORD_CHANNEL = 'wavemill_record'

/**
 * Stands in the RETURNING list of the UPDATE of a record's row, so that it costs no statement of its own: it is announced
 * when the transaction commits, if it does, and once however often the transaction says it.
 */
export const ANNOUNCE = `pg_notify('${RECORD_CHANNEL}', key::text)`
