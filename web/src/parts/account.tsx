/** The account: its id and token to keep, a token that was changed elsewhere, and the way out. */
import { useRef } from 'preact/hooks'
import { checkUser } from '../api/calls.ts'
import type { User } from '../api/recording.ts'
import { words } from '../state/language.ts'
import { enter, leave } from '../state/session.ts'
import { cancelAll } from '../state/uploads.ts'
import { CopyButton } from './copy-button.tsx'
import { fieldOf, SubmitForm } from './submit-form.tsx'

export function Account({ user }: { readonly user: User }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const say = words.value
  return (
    <>
      <button
        type="button"
        class="plain who"
        title={say.settings}
        onClick={() => dialog.current?.showModal()}
      >
        {user.name}
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby="account-title">
        <h2 id="account-title">{say.access}</h2>
        <p class="quiet">{say.accessHint}</p>
        <dl class="access">
          <dt>{say.userId}</dt>
          <dd>
            <code>{user.id}</code>
          </dd>
          <dt>{say.token}</dt>
          <dd>
            <code>{user.token}</code>
          </dd>
        </dl>
        <div class="row-actions">
          <CopyButton text={`${user.id} ${user.token}`} label={say.copyAccess} />
          <button type="button" class="plain" onClick={signOut} title={say.signOutHint}>
            {say.signOut}
          </button>
          <button type="button" class="plain end" onClick={() => dialog.current?.close()}>
            {say.close}
          </button>
        </div>
        <small class="quiet">{say.signOutHint}</small>
      </dialog>
    </>
  )
}

/** Where the token that this browser knows is refused. */
export function NewToken({ user }: { readonly user: User }) {
  const say = words.value
  return (
    <section class="notice" aria-live="polite">
      <p>{say.tokenRefused}</p>
      <SubmitForm
        action={say.enter}
        onSubmit={async (form) => {
          const renewed = { ...user, token: fieldOf(form, 'token') }
          await checkUser(renewed)
          enter(renewed)
        }}
      >
        <label>
          {say.newToken}
          <input name="token" type="password" required autocomplete="current-password" />
        </label>
      </SubmitForm>
    </section>
  )
}

function signOut(): void {
  cancelAll()
  leave()
}
