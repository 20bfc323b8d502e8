#!/usr/bin/env node
// The commands of package.json, each of which sets up the workspace first: `node local/run.mjs start|dev|test|check|books|bench`.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'
const root = fileURLToPath(new URL('..', import.meta.url))
const inRoot = (...path) => join(root, ...path)
const bin = (name) => inRoot('node_modules', '.bin', name)

const commands = {
  start: { compiled: true, run: () => import('./dist/start-main.js') },
  books: { compiled: true, run: () => import('./dist/books-main.js') },
  bench: { compiled: true, run: () => import('../bench/dist/main.js') },
  dev: { compiled: true, run: dev },
  test: { compiled: true, run: (args) => pass([bin('vitest'), 'run', ...args]) },
  check: { compiled: false, run: check },
}

await main(process.argv[2] ?? '', process.argv.slice(3))

async function main(name, args) {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) quit(`Say one of ${Object.keys(commands).join(', ')}.`)
  process.chdir(root)
  refuseOldNode()
  install()
  generateClient()
  if (command.compiled) step('Compiling', [bin('tsc'), '--build'])
  await command.run(args)
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    quit(`Wavemill needs Node 20.19 or newer; this is ${process.versions.node}.`)
  }
}

/** Only when what is to be installed has changed since the last time, or the Node that it was installed for. */
function install() {
  const packages = ['', 'core', 'prisma', 'api', 'worker', 'local', 'bench', 'examples']
  const manifests = packages.map((folder) => join(folder, 'package.json'))
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]
  const machine = `${process.platform} ${process.arch} ${process.versions.modules} ${root}`
  onceFor('node_modules/.wavemill-install', machine, inputs, () => {
    const args = ['--yes', PNPM, 'install', '--frozen-lockfile']
    step('Installing packages (once)', ['npx', ...args], { CI: 'true' })
  })
}

function generateClient() {
  const inputs = ['prisma/schema.prisma', 'prisma/prisma.config.ts', 'pnpm-lock.yaml']
  onceFor('prisma/src/generated/.wavemill-schema', '', inputs, () => {
    step(
      'Generating the database client',
      [inRoot('prisma/node_modules/.bin/prisma'), 'generate'],
      {},
      'prisma',
    )
  })
}

/** Does `work` unless it was done before for the same inputs, of which the file `stamp` holds the digest. */
function onceFor(stamp, seed, inputs, work) {
  const hash = createHash('sha256').update(seed)
  for (const input of inputs) hash.update(input).update(readFileSync(inRoot(input)))
  const digest = hash.digest('hex')
  const path = inRoot(stamp)
  if (existsSync(path) && readFileSync(path, 'utf8') === digest) return
  work()
  writeFileSync(path, digest)
}

/** Runs a tool to its end, and shows what it printed only if it fails. */
function step(title, [command, ...args], env = {}, folder = '') {
  const quick = title === 'Compiling'
  if (!quick) console.error(`${title} ...`)
  const options = { cwd: inRoot(folder), env: { ...process.env, ...env }, encoding: 'utf8' }
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, maxBuffer: 2 ** 26 })
  if (status !== 0) quit(`${title} failed.\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
}

/** Runs a tool in the foreground, passes signals on to it, and ends as it does. */
async function pass(command) {
  process.exitCode = await foreground(command)
}

function foreground([command, ...args]) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' })
  const forward = (signal) => child.kill(signal)
  process.on('SIGINT', forward)
  process.on('SIGTERM', forward)
  return new Promise((resolve) => {
    child.once('error', (error) => quit(error.message))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** All of them, so that one run shows every fault. */
async function check() {
  const checks = [[bin('biome'), 'ci', '.'], [bin('tsc'), '-p', 'tsconfig.check.json'], [bin('knip')]]
  for (const command of checks) {
    const code = await foreground(command)
    if (code !== 0) {
      console.error(`FAILED: ${command.slice(1).join(' ') || 'knip'}`)
      process.exitCode = 1
    }
  }
}

/** Compiles at each change, and starts the service again when what it runs has changed. */
async function dev() {
  const compiler = spawn(bin('tsc'), ['--build', '--watch', '--preserveWatchOutput'], {
    cwd: root,
    stdio: 'inherit',
  })
  let service = startService()
  let timer
  let stopping = false
  for (const folder of ['core', 'prisma', 'api', 'worker', 'local']) {
    watch(inRoot(folder, 'dist'), { recursive: true }, (_event, file) => {
      if (!file?.endsWith('.js')) return
      clearTimeout(timer)
      timer = setTimeout(() => service.kill('SIGTERM'), 500)
    })
  }
  function startService() {
    const child = spawn(process.execPath, [inRoot('local/dist/start-main.js')], {
      cwd: root,
      stdio: 'inherit',
    })
    child.once('exit', () => {
      if (stopping) process.exit()
      service = startService()
    })
    return child
  }
  function stop() {
    stopping = true
    compiler.kill()
    service.kill('SIGTERM')
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function quit(sentence) {
  console.error(sentence)
  process.exit(1)
}
