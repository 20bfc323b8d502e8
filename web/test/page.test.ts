/** The page as people use it: in a real browser, on the whole service. */
import { readFile } from 'node:fs/promises'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Service } from '../../bench/src/service.ts'
import { sweep } from '../../test/support/material.ts'
import { missing } from '../../test/support/requirement.ts'
import { startTestService } from '../../test/support/service.ts'
import { createUser, upload } from '../../test/support/story.ts'
import { buildWav } from '../../test/support/wav.ts'
import { launchBrowser, type OpenedPage, openPage } from './opened-page.ts'

const named = (name: string, buffer: Uint8Array) => ({
  name,
  mimeType: 'audio/wav',
  buffer: Buffer.from(buffer),
})
const oneSecond = buildWav({ samples: 44_100, material: sweep() })
const halfMinute = buildWav({ samples: 30 * 44_100, material: sweep() })

describe.skipIf(missing('chromium') || missing('ffmpeg'))('the page', () => {
  let service: Service
  let browser: Browser
  let opened: OpenedPage[] = []
  beforeAll(async () => {
    service = await startTestService()
    browser = await launchBrowser()
  })
  afterEach(async () => {
    const faults = opened.flatMap((one) => one.faults)
    for (const one of opened) await one.close()
    opened = []
    expect(faults).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
  })

  async function open(options: Parameters<typeof openPage>[2] = {}): Promise<OpenedPage> {
    const one = await openPage(browser, service.baseUrl, options)
    opened.push(one)
    return one
  }

  async function openAsNewUser(options: Parameters<typeof openPage>[2] = {}): Promise<OpenedPage> {
    const one = await open(options)
    await create(one.page)
    return one
  }

  it('tells the story: choose, watch, play, seek, download, copy the link, delete, take it back', async () => {
    const { page } = await openAsNewUser()
    await choose(page, named('Half a minute.wav', halfMinute), named('notes.wav', Buffer.from('a text')))
    await page.getByText('The file is not a WAV but a text.').waitFor()
    await page.getByRole('button', { name: 'Dismiss notes.wav' }).click()
    await page.getByRole('button', { name: 'Play Half a minute.wav' }).click()
    const audio = page.locator('audio')
    await eventually(
      () => playedTo(audio),
      (seconds) => expect(seconds).toBeGreaterThan(0.3),
    )
    await page.getByRole('slider', { name: 'Position in Half a minute.wav' }).fill('20')
    await eventually(
      () => playedTo(audio),
      (seconds) => expect(seconds).toBeGreaterThan(20.2),
    )
    await page.getByRole('button', { name: 'Pause Half a minute.wav' }).click()
    await page.getByRole('button', { name: 'Play Half a minute.wav' }).waitFor()

    await page.getByRole('button', { name: 'Copy link Half a minute.wav' }).click()
    const link = await page.evaluate<string>('navigator.clipboard.readText()')
    const answer = await fetch(link)
    expect(answer.status).toBe(200)
    const mp3 = Buffer.from(await answer.arrayBuffer())
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download Half a minute.wav' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('Half a minute.mp3')
    expect((await readFile(await download.path())).equals(mp3)).toBe(true)

    const remove = page.getByRole('button', { name: 'Delete Half a minute.wav' })
    await remove.click()
    expect(await remove.count()).toBe(0)
    await page.getByRole('button', { name: 'Undo Half a minute.wav' }).click()
    await remove.click()
    await eventually(
      () => fetch(link),
      ({ status }) => expect(status).toBe(410),
      15_000,
    )
  })

  it('encodes and tags as it was told', async () => {
    const { page } = await openAsNewUser()
    await page.getByText('How to encode').click()
    await page.getByLabel('Quality').selectOption({ label: 'Constant 64 kbit/s' })
    await page.getByLabel('Channels').selectOption({ label: 'Mono' })
    await page.getByLabel('Title').fill('Sweep')
    await choose(page, named('tagged.wav', oneSecond))
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download Sweep' }).click(),
    ])
    const mp3 = await readFile(await download.path())
    expect(mp3.toString('latin1', 0, 3)).toBe('ID3')
    expect(mp3.toString('latin1')).toContain('Sweep')
    expect(mp3.length).toBeLessThan(64_000 / 8 + 2_000) // one second
  })

  it('records from the microphone', async () => {
    const { page } = await openAsNewUser()
    await page.getByRole('button', { name: 'Record', exact: true }).click()
    await page.getByText('0:02', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Stop and send' }).click()
    await page.getByRole('button', { name: 'Record', exact: true }).waitFor()
    await page.getByRole('button', { name: /^Play Recording .*\.wav$/ }).click()
    await eventually(
      () => playedTo(page.locator('audio')),
      (seconds) => expect(seconds).toBeGreaterThan(0.1),
    )
  })

  it('takes many at once, a few uploads at a time, and answers clicks meanwhile', async () => {
    const { page } = await open()
    await page.evaluate(COUNT_UPLOADS)
    await create(page)
    await drop(page, 60)
    await page.getByRole('button', { name: 'Cancel all' }).waitFor()
    await page.getByText('How to encode').click()
    await page.getByLabel('Quality').waitFor()
    await page.getByRole('heading', { name: 'On their way' }).waitFor({ state: 'detached', timeout: 60_000 })
    expect(await page.evaluate('globalThis.mostUploads')).toBe(2)
    await eventually(
      () => page.getByRole('listitem').count(),
      (count) => expect(count).toBe(60),
    )
  })

  it('shows those of one state only, in pages', async () => {
    const user = await createUser(service.baseUrl)
    for (let index = 0; index < 21; index += 1) await upload(service.baseUrl, user, oneSecond)
    const { page } = await open()
    await enter(page, user)
    await eventually(
      () => page.getByRole('listitem').count(),
      (count) => expect(count).toBe(20),
    )
    await page.getByRole('button', { name: 'Show more' }).click()
    await eventually(
      () => page.getByRole('listitem').count(),
      (count) => expect(count).toBe(21),
    )
    await eventually(
      () => page.getByRole('button', { name: /^Play/ }).count(),
      (count) => expect(count).toBe(21),
      60_000,
    )
    await page.getByLabel('Show', { exact: true }).selectOption({ label: 'Failed' })
    await page.getByText('None of these.').waitFor()
  })

  it('goes on when the network is back, and no recording is there twice', async () => {
    const { page } = await openAsNewUser()
    await page.context().setOffline(true)
    await choose(page, named('patient.wav', oneSecond))
    await page.getByText('Trying again soon').waitFor()
    await page.context().setOffline(false)
    await page.getByRole('button', { name: 'Play patient.wav' }).waitFor()
    expect(await page.getByRole('listitem').count()).toBe(1)
  })

  it('asks for the new token where it was changed elsewhere, and shows why an entry is refused', async () => {
    const user = await createUser(service.baseUrl)
    const { page } = await open()
    await enter(page, { ...user, token: crypto.randomUUID() })
    await page.getByText('There is no such user with this token.').waitFor()
    await enter(page, user)
    await page.getByText('No recordings yet.').waitFor()
    const renewed = await fetch(`${service.baseUrl}/user/token?user=${user.id}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${user.token}` },
    })
    const { token } = (await renewed.json()) as { token: string }
    await page.reload()
    await page.getByLabel('New token').fill(token)
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByLabel('New token').waitFor({ state: 'detached' })
    await choose(page, named('after.wav', oneSecond))
    await page.getByRole('button', { name: 'Play after.wav' }).waitFor()
  })

  it('is the same in two tabs, and forgets its user in both', async () => {
    const { page } = await openAsNewUser()
    await choose(page, named('shared.wav', oneSecond))
    await page.getByRole('button', { name: 'Play shared.wav' }).waitFor()
    const second = await page.context().newPage()
    await second.goto(`${service.baseUrl}/`)
    await second.getByRole('button', { name: 'Play shared.wav' }).waitFor()
    await second.getByTitle('Account').click()
    await second.getByRole('button', { name: 'Sign out' }).click()
    await second.getByRole('button', { name: 'Create', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Create', exact: true }).waitFor()
  })

  it('speaks Russian where the browser asks for it, and English where that is chosen', async () => {
    const { page } = await open({ locale: 'ru-RU' })
    await page.getByLabel('Имя').fill(`Ада ${crypto.randomUUID()}`)
    expect(await page.evaluate('document.documentElement.lang')).toBe('ru')
    await page.getByRole('button', { name: 'Создать', exact: true }).click()
    await page.getByText('Перетащите сюда файлы WAV').waitFor()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText('Drop WAV files here').waitFor()
    await page.reload()
    await page.getByText('Drop WAV files here').waitFor()
  })

  it.each([
    ['wide and light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' as const }],
    ['a phone’s and dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' as const }],
  ])('has nothing that axe finds, and no sideways scroll: %s', async (_name, options) => {
    const { page, checkAccess, overhang } = await open(options)
    const expectFine = async () => {
      expect(await checkAccess()).toEqual([])
      expect(await overhang()).toBe(0)
    }
    await expectFine()
    await create(page, `Somebody with a name that is long ${crypto.randomUUID()}`)
    await expectFine()
    await choose(
      page,
      named(`${'A very long name '.repeat(8)}.wav`, oneSecond),
      named('text.wav', Buffer.from('x')),
    )
    await page.getByRole('button', { name: /^Play/ }).click()
    await page.getByText('How to encode').click()
    await expectFine()
    await page.getByTitle('Account').click()
    await expectFine()
  })
})

/** Runs in the page: how many requests that tell their progress ran at once at most. */
const COUNT_UPLOADS = `{
  let running = 0
  globalThis.mostUploads = 0
  const { send } = XMLHttpRequest.prototype
  XMLHttpRequest.prototype.send = function (body) {
    globalThis.mostUploads = Math.max(globalThis.mostUploads, ++running)
    this.addEventListener('readystatechange', () => { if (this.readyState === this.DONE) running -= 1 })
    return send.call(this, body)
  }
}`

/** Runs in the page: drops so many WAVs on it. */
const DROP_WAVS = `({ bytes, count }) => {
  const transfer = new DataTransfer()
  for (let index = 0; index < count; index += 1)
    transfer.items.add(new File([new Uint8Array(bytes)], 'dropped ' + index + '.wav'))
  const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer })
  document.querySelector('.drop').dispatchEvent(event)
}`

async function create(page: Page, name = `Ada ${crypto.randomUUID()}`): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByText('Drop WAV files here').waitFor()
}

async function enter(page: Page, { id, token }: { id: string; token: string }): Promise<void> {
  const known = page.getByRole('button', { name: 'I have a user already' })
  if (await known.isVisible()) await known.click()
  await page.getByLabel('User id').fill(id)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Enter' }).click()
}

async function choose(page: Page, ...files: ReturnType<typeof named>[]): Promise<void> {
  await page.locator('input[type=file]').first().setInputFiles(files)
}

/** Drops so many WAVs of a tenth of a second on the page. */
async function drop(page: Page, count: number): Promise<void> {
  const given = JSON.stringify({ bytes: [...buildWav({ samples: 4_410 })], count })
  await page.evaluate(`(${DROP_WAVS})(${given})`)
}

async function playedTo(audio: Locator): Promise<number> {
  return await audio.evaluate((element) => Reflect.get(element, 'currentTime'))
}

/** Looks again until it is so. */
async function eventually<T>(look: () => Promise<T>, check: (seen: T) => void, ms = 30_000): Promise<void> {
  const seen: { latest?: T } = {}
  await expect
    .poll(
      async () => {
        seen.latest = await look()
        try {
          check(seen.latest)
          return 'so'
        } catch (error) {
          return String(error)
        }
      },
      { timeout: ms, interval: 100 },
    )
    .toBe('so')
}
