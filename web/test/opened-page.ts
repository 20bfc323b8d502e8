/** The page in headless Chromium, watched: what it asked for, what it complained of, and what axe finds. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { pathOf } from '../../test/support/requirement.ts'

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

export interface OpenedPage {
  readonly page: Page
  /** Complaints of scripts, of the console and of the page's policy, and addresses elsewhere. Refusals of the API are none. */
  readonly faults: readonly string[]
  /** @returns a line for each violation. */
  checkAccess(): Promise<string[]>
  /** How many pixels are beyond the right edge. */
  overhang(): Promise<number>
  close(): Promise<void>
}

/** A microphone that beeps, and audio that needs no click. The caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  const args = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
  return await chromium.launch({ executablePath: pathOf('chromium') ?? '', args })
}

export async function openPage(
  browser: Browser,
  baseUrl: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  await context.grantPermissions(['microphone', 'clipboard-read', 'clipboard-write'], { origin: baseUrl })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(`${baseUrl}/`) && !request.url().startsWith('blob:'))
      faults.push(`asked for ${request.url()}`)
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    const isRefusal = message.text().startsWith('Failed to load resource')
    if (/error|warning/.test(message.type()) && !isRefusal) faults.push(message.text())
  })
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error('refused by ' + violatedDirective + ': ' + blockedURI))`,
  )
  await page.goto(`${baseUrl}/`)
  return {
    page,
    faults,
    async checkAccess() {
      // As a browser's own tools run it, so the page's policy is not asked.
      await page.evaluate(await readFile(axePath, 'utf8'))
      // Without its copies of the page's styles, which the policy refuses to any script.
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
        'axe.run(document, { preload: false })',
      )
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
    },
    overhang: () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
    close: () => context.close(),
  }
}
