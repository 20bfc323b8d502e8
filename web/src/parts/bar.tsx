/** How far something is. */

export function Bar({ part, label }: { /** 0..1. */ readonly part: number; readonly label: string }) {
  return <progress class="bar" max={1} value={part} aria-label={label} />
}
