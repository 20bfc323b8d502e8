/** Remembers for a moment what was read, so that many who ask at once cost one reading. */

/**
 * @param ms how old an answer may be. A reading that fails is remembered by nobody.
 * @returns `read`, which is called only where nothing is remembered.
 */
export function remember<Key, Value>(
  ms: number,
  read: (key: Key) => Promise<Value>,
): (key: Key) => Promise<Value> {
  const remembered = new Map<Key, Promise<Value>>()
  return (key) => {
    const known = remembered.get(key)
    if (known !== undefined) return known
    const reading = read(key)
    remembered.set(key, reading)
    const forget = () => remembered.delete(key)
    reading.then(() => setTimeout(forget, ms).unref(), forget)
    return reading
  }
}
