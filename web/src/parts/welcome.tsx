/** Makes a user, or lets one in who has id and token already. */
import { useSignal } from '@preact/signals'
import { checkUser, createUser } from '../api/calls.ts'
import { words } from '../state/language.ts'
import { enter } from '../state/session.ts'
import { fieldOf, SubmitForm } from './submit-form.tsx'

export function Welcome() {
  const isKnown = useSignal(false)
  const say = words.value
  return (
    <section class="welcome">
      <h2>{say.welcome}</h2>
      <p class="quiet">{say.welcomeMore}</p>
      {isKnown.value ? <EnterForm /> : <CreateForm />}
      <button
        type="button"
        class="plain"
        onClick={() => {
          isKnown.value = !isKnown.value
        }}
      >
        {isKnown.value ? say.newUser : say.haveUser}
      </button>
    </section>
  )
}

function CreateForm() {
  const say = words.value
  return (
    <SubmitForm
      key="create"
      action={say.create}
      onSubmit={async (form) => enter(await createUser(fieldOf(form, 'name')))}
    >
      <label>
        {say.name}
        <input name="name" required maxLength={100} autocomplete="nickname" aria-describedby="name-hint" />
      </label>
      <small id="name-hint">{say.nameHint}</small>
    </SubmitForm>
  )
}

function EnterForm() {
  const say = words.value
  return (
    <SubmitForm
      key="enter"
      action={say.enter}
      onSubmit={async (form) => {
        const id = fieldOf(form, 'id')
        const user = { id, token: fieldOf(form, 'token'), name: id.slice(0, 8) }
        await checkUser(user)
        enter(user)
      }}
    >
      <label>
        {say.userId}
        <input name="id" required autocomplete="username" spellcheck={false} />
      </label>
      <label>
        {say.token}
        <input name="token" type="password" required autocomplete="current-password" />
      </label>
    </SubmitForm>
  )
}
