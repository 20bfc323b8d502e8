/** Says what was just deleted, and lets it be taken back. */
import { nameOf } from '../api/recording.ts'
import { words } from '../state/language.ts'
import { leaving, undoRemoval } from '../state/recordings.ts'

export function Departures() {
  const say = words.value
  return (
    <div class="departures" role="status">
      {leaving.value.map((recording) => (
        <p key={recording.id} class="departure">
          <span>{say.deleted(nameOf(recording))}</span>
          <button
            type="button"
            class="plain"
            aria-label={say.of(say.undo, nameOf(recording))}
            onClick={() => undoRemoval(recording)}
          >
            {say.undo}
          </button>
        </p>
      ))}
    </div>
  )
}
