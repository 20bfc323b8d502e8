/** A real nginx with TLS before a service, out of examples/nginx.conf with only its places changed. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './ports.ts'

export interface TestNginx {
  readonly httpsPort: number
  readonly httpPort: number
  /** The self-signed certificate, in PEM. */
  readonly certificate: string
  stop(): Promise<void>
}

const example = new URL('../../examples/nginx.conf', import.meta.url)

/** @param upstreamPort where the service listens on 127.0.0.1. */
export async function startNginx(upstreamPort: number): Promise<TestNginx> {
  const folder = await mkdtemp(join(tmpdir(), 'wavemill-nginx-'))
  const certificate = await makeCertificate(folder)
  const [httpsPort, httpPort] = [await freePort(), await freePort()]
  const config = placed(await readFile(example, 'utf8'), { folder, upstreamPort, httpsPort, httpPort })
  await writeFile(join(folder, 'nginx.conf'), config)
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', globals(folder)]
  const server = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(server, 'exit')
  await untilOpen(httpsPort, () => server.exitCode !== null)
  return {
    httpsPort,
    httpPort,
    certificate,
    async stop() {
      server.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The example, with the test's own folder and ports. @throws Error if a place is not in it. */
function placed(
  text: string,
  at: { folder: string; upstreamPort: number; httpsPort: number; httpPort: number },
): string {
  const places: [string, string][] = [
    ['server 127.0.0.1:8080;', `server 127.0.0.1:${at.upstreamPort};`],
    ['listen 80;', `listen 127.0.0.1:${at.httpPort};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${at.httpsPort} ssl;`],
    ['/etc/ssl/wavemill/fullchain.pem', join(at.folder, 'certificate.pem')],
    ['/etc/ssl/wavemill/privkey.pem', join(at.folder, 'key.pem')],
    ['http {\n', `http {\n${temporaryPaths(at.folder)}`],
  ]
  return places.reduce((config, [from, to]) => {
    if (!config.includes(from)) throw new Error(`examples/nginx.conf has no "${from}"`)
    return config.replace(from, to)
  }, text)
}

/** Those that nginx was built with may not be there, or not be ours. */
function temporaryPaths(folder: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};\n`).join('')
}

function globals(folder: string): string {
  const user = process.getuid?.() === 0 ? 'user root; ' : '' // its folder is closed to others
  return `daemon off; ${user}pid ${join(folder, 'pid')};`
}

async function makeCertificate(folder: string): Promise<string> {
  const path = join(folder, 'certificate.pem')
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const names = ['-subj', '/CN=audio.example.org', '-addext', 'subjectAltName=DNS:audio.example.org']
  await promisify(execFile)('openssl', [...args, ...names, '-keyout', join(folder, 'key.pem'), '-out', path])
  return await readFile(path, 'utf8')
}

async function untilOpen(port: number, hasEnded: () => boolean): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const opened = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (opened) return
    if (hasEnded()) throw new Error('nginx did not start')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
