/** The choices for what is added next; the defaults are good. */
import type { TargetedEvent } from 'preact'
import { words } from '../state/language.ts'
import { type Options, options } from '../state/options.ts'

const KBITS = [64, 128, 192, 320]

export function OptionsForm() {
  const say = words.value
  const chosen = options.value
  return (
    <details class="options">
      <summary>{say.options}</summary>
      <p class="quiet">{say.optionsHint}</p>
      <div class="fields">
        <label>
          {say.quality}
          <select value={chosen.encoding} onChange={setter('encoding')}>
            <option value="quality=0">{say.qualityBest}</option>
            <option value="quality=2">{say.qualityGood}</option>
            <option value="quality=5">{say.qualityMedium}</option>
            <option value="quality=9">{say.qualitySmall}</option>
            {KBITS.map((kbits) => (
              <option key={kbits} value={`bitrate=${kbits}`}>
                {say.constantRate(kbits)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {say.channels}
          <select value={chosen.channels} onChange={setter('channels')}>
            <option value="">{say.channelsSame}</option>
            <option value="1">{say.channelsMono}</option>
            <option value="2">{say.channelsStereo}</option>
          </select>
        </label>
        <TextOption field="title" label={say.title} hint={say.titleHint} />
        <TextOption field="artist" label={say.artist} />
        <TextOption field="album" label={say.album} />
        <TextOption field="date" label={say.date} hint="2026-11-24" />
      </div>
    </details>
  )
}

function TextOption({ field, label, hint }: { field: keyof Options; label: string; hint?: string }) {
  return (
    <label>
      {label}
      <input value={options.value[field]} placeholder={hint ?? ''} onInput={setter(field)} maxLength={200} />
    </label>
  )
}

function setter(field: keyof Options) {
  return ({ currentTarget }: TargetedEvent<HTMLInputElement | HTMLSelectElement>) => {
    options.value = { ...options.peek(), [field]: currentTarget.value }
  }
}
