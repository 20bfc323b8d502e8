/** A form with one button, which shows next to it what was refused. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Refusal } from '../api/problem.ts'
import { Refused } from './refused.tsx'

interface SubmitFormProps {
  /** What the button says. */
  readonly action: string
  onSubmit(form: FormData): Promise<void>
  readonly children: ComponentChildren
}

export function SubmitForm({ action, onSubmit, children }: SubmitFormProps) {
  const refusal = useSignal<Refusal | undefined>(undefined)
  const isBusy = useSignal(false)

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (isBusy.value || !(event.currentTarget instanceof HTMLFormElement)) return
    const form = new FormData(event.currentTarget)
    refusal.value = undefined
    isBusy.value = true
    try {
      await onSubmit(form)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refusal.value = error
    } finally {
      isBusy.value = false
    }
  }

  return (
    <form class="form" onSubmit={submit}>
      {children}
      {refusal.value !== undefined && <Refused refusal={refusal.value} />}
      <button type="submit" class="main" aria-disabled={isBusy.value}>
        {action}
      </button>
    </form>
  )
}

export function fieldOf(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
