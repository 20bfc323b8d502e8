/** The WAVs that are on their way, and those that were refused, each with what it is about. */
import { words } from '../state/language.ts'
import { cancelAll, cancelUpload, type Upload, uploads } from '../state/uploads.ts'
import type { Words } from '../words/en.ts'
import { percent } from './amounts.ts'
import { Bar } from './bar.tsx'
import { Refused } from './refused.tsx'

/** The others are counted only: hundreds may be dropped at once. */
const SHOWN = 12

export function UploadList() {
  const say = words.value
  const all = uploads.value
  if (all.length === 0) return null
  const ordered = [...all].sort((one, other) => rank(one) - rank(other))
  return (
    <section aria-labelledby="uploads-title">
      <div class="section-head">
        <h2 id="uploads-title">
          {say.uploads} <span class="count">{all.length}</span>
        </h2>
        {all.length > 1 && (
          <button type="button" class="plain" onClick={cancelAll}>
            {say.cancelAll}
          </button>
        )}
      </div>
      <ul class="rows">
        {ordered.slice(0, SHOWN).map((upload) => (
          <UploadRow key={upload.key} upload={upload} />
        ))}
      </ul>
    </section>
  )
}

/** What was refused must be seen, and what moves is more than what waits. */
function rank({ phase }: Upload): number {
  return ['refused', 'sending', 'pausing', 'waiting'].indexOf(phase)
}

function UploadRow({ upload }: { readonly upload: Upload }) {
  const { key, fileName, phase, progress, refusal } = upload
  const say = words.value
  const action = phase === 'refused' ? say.dismiss : say.cancel
  return (
    <li class="row">
      <div class="row-text">
        <span class="row-name">{fileName}</span>
        <span class="quiet">{phaseOf(upload, say)}</span>
        {refusal !== undefined && <Refused refusal={refusal} />}
      </div>
      <div class="row-actions">
        <button
          type="button"
          class="plain"
          aria-label={say.of(action, fileName)}
          onClick={() => cancelUpload(key)}
        >
          {action}
        </button>
      </div>
      {phase === 'sending' && <Bar part={progress} label={fileName} />}
    </li>
  )
}

function phaseOf({ phase, progress }: Upload, say: Words): string {
  if (phase === 'sending') return say.uploading(percent(progress, say.locale))
  if (phase === 'pausing') return say.uploadPausing
  return phase === 'waiting' ? say.uploadWaiting : ''
}
