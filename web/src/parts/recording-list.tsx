/** The user's recordings, the latest first, by their state and page by page. */
import { statuses, type User } from '../api/recording.ts'
import { words } from '../state/language.ts'
import {
  filter,
  isLoading,
  listRefusal,
  loadMore,
  loadRecordings,
  nextCursor,
  recordings,
} from '../state/recordings.ts'
import { RecordingRow } from './recording-row.tsx'
import { Refused } from './refused.tsx'

export function RecordingList({ user }: { readonly user: User }) {
  const say = words.value
  const all = recordings.value
  const isEmpty = all.length === 0 && !isLoading.value && listRefusal.value === undefined
  return (
    <section aria-labelledby="recordings-title" aria-busy={isLoading.value}>
      <div class="section-head">
        <h2 id="recordings-title">{say.recordings}</h2>
        <select
          class="filter"
          aria-label={say.filter}
          value={filter.value ?? ''}
          onChange={({ currentTarget }) => show(currentTarget.value)}
        >
          <option value="">{say.all}</option>
          {statuses.map((status) => (
            <option key={status} value={status}>
              {say.status[status]}
            </option>
          ))}
        </select>
      </div>
      {listRefusal.value !== undefined && <Refused refusal={listRefusal.value} />}
      {isEmpty && <p class="empty">{filter.value === undefined ? say.none : say.noneOfStatus}</p>}
      <ul class="rows">
        {all.map((recording) => (
          <RecordingRow key={recording.id} user={user} recording={recording} />
        ))}
      </ul>
      {nextCursor.value !== undefined && (
        <button type="button" class="more" onClick={() => void loadMore()} aria-disabled={isLoading.value}>
          {say.more}
        </button>
      )}
    </section>
  )
}

function show(chosen: string): void {
  filter.value = statuses.find((status) => status === chosen)
  void loadRecordings()
}
