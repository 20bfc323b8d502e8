/** Copies a text, and says that it did. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { words } from '../state/language.ts'

interface CopyButtonProps {
  readonly text: string
  readonly label: string
  /** Of a button that shows less than its label says. */
  readonly children?: ComponentChildren
}

export function CopyButton({ text, label, children }: CopyButtonProps) {
  const isCopied = useSignal(false)
  async function onClick(): Promise<void> {
    await copy(text)
    isCopied.value = true
    setTimeout(() => {
      isCopied.value = false
    }, 2_000)
  }
  return (
    <>
      <button type="button" class="plain" aria-label={label} onClick={onClick}>
        {isCopied.value ? words.value.copied : (children ?? label)}
      </button>
      <span class="unseen" role="status">
        {isCopied.value ? words.value.copied : ''}
      </span>
    </>
  )
}

async function copy(text: string): Promise<void> {
  // Only secure pages have a clipboard; the older way works everywhere.
  if (navigator.clipboard !== undefined) return await navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
