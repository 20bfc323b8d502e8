/** Looks into schemas that Fastify knows as `unknown`. */

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** @returns undefined where there is no such member, or nothing to have one. */
export function schemaMember(schema: unknown, name: string): unknown {
  return isObject(schema) ? Reflect.get(schema, name) : undefined
}
