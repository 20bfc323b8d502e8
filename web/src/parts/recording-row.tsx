/** One recording: what it is, how far it is, and what can be done with it. */
import { mp3Address } from '../api/calls.ts'
import { isWaiting, nameOf, type Recording, type User } from '../api/recording.ts'
import { words } from '../state/language.ts'
import { isPlaying, opened } from '../state/player.ts'
import { removeRecording } from '../state/recordings.ts'
import type { Words } from '../words/en.ts'
import { about, duration, megabytes, moment, percent } from './amounts.ts'
import { Bar } from './bar.tsx'
import { CopyButton } from './copy-button.tsx'
import { DeleteIcon, DownloadIcon, LinkIcon, PauseIcon, PlayIcon } from './icons.tsx'
import { Player } from './player.tsx'

interface RowProps {
  readonly user: User
  readonly recording: Recording
}

export function RecordingRow({ user, recording }: RowProps) {
  const say = words.value
  const { id, status, progress, source, mp3, failure, warnings, createdAt } = recording
  const name = nameOf(recording)
  const isReady = status === 'ready'
  const facts = [
    duration(source.seconds),
    ...(mp3 === null ? [] : [megabytes(mp3.bytes, say.locale)]),
    moment(createdAt, say.locale),
  ]
  return (
    <li class="row" data-status={status}>
      {isReady && <PlayButton id={id} name={name} />}
      <div class="row-text">
        <span class="row-name">{name}</span>
        <span class="quiet facts">{facts.join(' · ')}</span>
        {isWaiting(recording) && (
          <span class="state" role="status">
            {stateOf(recording, say)}
          </span>
        )}
        {failure !== null && <span class="refused">{say.problem(failure.code, failure.reason)}</span>}
        {warnings.map((warning) => (
          <span key={warning} class="warning">
            {warning}
          </span>
        ))}
      </div>
      <div class="row-actions">
        {isReady && (
          <>
            <CopyButton text={recording.url} label={say.of(say.copyLink, name)}>
              <LinkIcon />
              <span class="wide">{say.copyLink}</span>
            </CopyButton>
            <a
              class="plain"
              href={mp3Address(user, id, { download: true })}
              download
              aria-label={say.of(say.download, name)}
            >
              <DownloadIcon />
              <span class="wide">{say.download}</span>
            </a>
          </>
        )}
        <button
          type="button"
          class="plain"
          aria-label={say.of(say.delete, name)}
          title={say.delete}
          onClick={() => removeRecording(recording)}
        >
          <DeleteIcon />
        </button>
      </div>
      {isWaiting(recording) && <Bar part={progress} label={name} />}
      {isReady && opened.value === id && (
        <Player
          address={mp3Address(user, id, { download: false })}
          user={user}
          id={id}
          name={name}
          seconds={source.seconds}
        />
      )}
    </li>
  )
}

function PlayButton({ id, name }: { readonly id: string; readonly name: string }) {
  const say = words.value
  const isOn = opened.value === id && isPlaying.value
  return (
    <button
      type="button"
      class="play"
      aria-label={say.of(isOn ? say.pause : say.play, name)}
      onClick={() => {
        if (opened.peek() !== id) {
          opened.value = id
          isPlaying.value = true
        } else isPlaying.value = !isPlaying.peek()
      }}
    >
      {isOn ? <PauseIcon /> : <PlayIcon />}
    </button>
  )
}

function stateOf({ status, progress, position, estimatedSeconds }: Recording, say: Words): string {
  const parts = []
  if (status === 'processing') parts.push(say.converting(percent(progress, say.locale)))
  else
    parts.push(position === undefined ? say.status.queued : position === 0 ? say.next : say.before(position))
  if (estimatedSeconds !== undefined) parts.push(say.timeLeft(about(estimatedSeconds, say)))
  return parts.join(' · ')
}
