/** What a user works with: adding WAVs, those on their way, and all recordings. */
import { useEffect } from 'preact/hooks'
import type { User } from '../api/recording.ts'
import { followRecordings } from '../state/follow.ts'
import { optionFields } from '../state/options.ts'
import { addSent, loadRecordings, removeAllForGood } from '../state/recordings.ts'
import { isTokenRefused } from '../state/session.ts'
import { addUploads } from '../state/uploads.ts'
import { NewToken } from './account.tsx'
import { Departures } from './departures.tsx'
import { DropArea } from './drop-area.tsx'
import { OptionsForm } from './options-form.tsx'
import { RecordingList } from './recording-list.tsx'
import { UploadList } from './upload-list.tsx'

export function Studio({ user }: { readonly user: User }) {
  useEffect(() => {
    void loadRecordings()
    const stop = followRecordings()
    return () => {
      stop()
      removeAllForGood()
    }
  }, [user.token])

  function add(files: readonly File[]): void {
    const options = optionFields()
    const all = files.map((file) => ({ file, fileName: file.name, options }))
    addUploads(user, all, async (sent, upload) => addSent(user, sent, upload.options.title))
  }

  return (
    <div class="studio">
      {isTokenRefused.value && <NewToken user={user} />}
      <DropArea onFiles={add} />
      <OptionsForm />
      <UploadList />
      <RecordingList user={user} />
      <Departures />
    </div>
  )
}
