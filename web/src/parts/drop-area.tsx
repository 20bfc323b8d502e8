/** Takes WAVs that are dropped, chosen, in folders, or spoken. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { words } from '../state/language.ts'
import { droppedFiles, onlyWavs } from './dropped-files.ts'
import { Wave } from './icons.tsx'
import { Microphone } from './microphone.tsx'

export function DropArea({ onFiles }: { onFiles(files: readonly File[]): void }) {
  const isOver = useSignal(false)
  const hasNone = useSignal(false)
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const say = words.value

  /** What was named one by one is sent as it is: the API says what is wrong with it. A folder holds other things too. */
  function take(found: readonly File[], { isChosen }: { isChosen: boolean }): void {
    const wavs = isChosen ? found : onlyWavs(found)
    hasNone.value = wavs.length === 0
    if (wavs.length > 0) onFiles(wavs)
  }

  function takeFrom(input: HTMLInputElement, how: { isChosen: boolean }): void {
    take([...(input.files ?? [])], how)
    input.value = '' // the same file may be chosen again
  }

  // The whole window takes what is dropped: a file that misses would replace the page.
  useEffect(() => {
    const stop = new AbortController()
    const { signal } = stop
    const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') === true
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      isOver.value = true
    }
    const leave = ({ relatedTarget }: DragEvent) => {
      if (relatedTarget === null) isOver.value = false
    }
    const drop = (event: DragEvent) => {
      if (event.dataTransfer === null || !hasFiles(event)) return
      event.preventDefault()
      isOver.value = false
      void droppedFiles(event.dataTransfer).then((found) => take(found.files, { isChosen: !found.hadFolder }))
    }
    addEventListener('dragover', over, { signal })
    addEventListener('dragleave', leave, { signal })
    addEventListener('drop', drop, { signal })
    return () => stop.abort()
  }, [])

  return (
    <section class="drop" data-over={isOver.value} aria-label={say.chooseFiles}>
      <Wave />
      <p class="drop-title">{isOver.value ? say.dropNow : say.drop}</p>
      <div class="drop-actions">
        <button type="button" class="main" onClick={() => files.current?.click()}>
          {say.chooseFiles}
        </button>
        <button type="button" class="plain" onClick={() => folder.current?.click()}>
          {say.chooseFolder}
        </button>
        <Microphone onFile={(file) => onFiles([file])} />
      </div>
      <input
        ref={files}
        class="unseen"
        type="file"
        multiple
        accept=".wav,.wave,.rf64,.bw64,audio/wav,audio/x-wav"
        aria-label={say.chooseFiles}
        tabIndex={-1}
        onChange={({ currentTarget }) => takeFrom(currentTarget, { isChosen: true })}
      />
      <input
        ref={folder}
        class="unseen"
        type="file"
        multiple
        {...{ webkitdirectory: true }}
        aria-label={say.chooseFolder}
        tabIndex={-1}
        onChange={({ currentTarget }) => takeFrom(currentTarget, { isChosen: false })}
      />
      {hasNone.value && (
        <p class="refused" role="alert">
          {say.noWavs}
        </p>
      )}
    </section>
  )
}
