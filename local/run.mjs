#!/usr/bin/env node
/** The commands of package.json: `node local/run.mjs start|dev|test|faults|check|books|backup|restore|bench`. Each first sets up what it needs. */
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { auditPackages } from './audit.mjs'

const PNPM = 'pnpm@12.21.0'
const packages = ['core', 'prisma', 'api', 'worker', 'web', 'local', 'bench', 'examples']
const root = fileURLToPath(new URL('..', import.meta.url))
const tool = (name) => join(root, 'node_modules', '.bin', name)

const commands = {
  start: () => runMain('./dist/start-main.js'),
  books: () => runMain('./dist/books-main.js'),
  backup: () => runMain('./dist/backup-main.js'),
  restore: () => runMain('./dist/restore-main.js'),
  bench: () => runMain('../bench/dist/main.js'),
  dev,
  test,
  faults: async () => {
    process.exitCode = await runVisibly(process.execPath, ['--import', 'tsx', 'test/faults/main.ts', ...args])
  },
  check,
}

const [name = '', ...args] = process.argv.slice(2)
if (!Object.hasOwn(commands, name)) quit(`Say one of ${Object.keys(commands).join(', ')}.`)
refuseOldNode()
process.chdir(root)
await installPackages()
await generateClient()
if (name !== 'check') {
  await buildPage()
  await runQuietly('Compiling', tool('tsc'), ['--build'])
}
await commands[name]()

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  quit(`Wavemill needs Node 20.19 or newer, and this is ${process.versions.node}: https://nodejs.org`)
}

async function installPackages() {
  const manifests = packages.map((folder) => join(folder, 'package.json'))
  const inputs = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]
  // pnpm's links and the programs among the packages are made for one place and one machine.
  const machine = `${PNPM} ${process.platform} ${process.arch} ${root}`
  await onceFor('node_modules/.wavemill-install', machine, inputs, async () => {
    console.error('Installing packages ...')
    // CI: it asks nothing.
    const env = { ...process.env, CI: 'true' }
    await runQuietly('Installing packages', 'npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], env)
  })
}

async function generateClient() {
  const inputs = ['prisma/schema.prisma', 'prisma/prisma.config.ts', 'pnpm-lock.yaml']
  await onceFor('prisma/src/generated/.wavemill-schema', '', inputs, async () => {
    const prisma = join(root, 'prisma', 'node_modules', '.bin', 'prisma')
    const config = join(root, 'prisma', 'prisma.config.ts')
    await runQuietly('Generating the database client', prisma, ['generate', '--config', config])
  })
}

async function buildPage() {
  await onceFor('web/dist/.wavemill-page', '', ['pnpm-lock.yaml', ...filesBelow('web')], async () => {
    const vite = join(root, 'web', 'node_modules', '.bin', 'vite')
    await runQuietly('Building the page', vite, ['build', join(root, 'web')])
  })
}

/** All that is written by hand. */
function filesBelow(folder) {
  const made = /(^|[\\/])(node_modules|dist|test)[\\/]/
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return paths
    .map((path) => relative(root, path))
    .filter((path) => !made.test(path))
    .sort()
}

/** Does `work` unless it was done before for the same inputs, whose digest the file `stamp` holds. */
async function onceFor(stamp, seed, inputs, work) {
  const hash = createHash('sha256').update(seed)
  for (const input of inputs) hash.update(`\0${input}\0`).update(readFileSync(join(root, input)))
  const digest = hash.digest('hex')
  const path = join(root, stamp)
  if (existsSync(path) && readFileSync(path, 'utf8') === digest) return
  await work()
  writeFileSync(path, digest)
}

/** Runs a tool to its end; what it printed is shown only if it failed. */
async function runQuietly(title, command, args, env = process.env) {
  let output = ''
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  if ((await endOf(child)) !== 0) quit(`${title} failed.\n${output}`)
}

/** In this process, so that signals reach it directly; it finds its arguments where any program does. */
async function runMain(path) {
  process.argv.splice(2, 1)
  process.setSourceMapsEnabled(true)
  await import(path)
}

/** Runs a tool in the foreground. @returns its exit code. */
function runVisibly(command, args) {
  return endOf(spawn(command, args, { cwd: root, stdio: 'inherit' }))
}

/** The child's exit code. What would end this process meanwhile is passed on, and ends it once the child has ended. */
async function endOf(child) {
  let isEnding = false
  const end = (signal) => {
    isEnding = true
    // A terminal sends its Ctrl-C to the child as well.
    if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM']
  for (const signal of signals) process.on(signal, end)
  const code = await new Promise((resolve) => {
    child.once('error', (error) => quit(error.message))
    child.once('close', (code) => resolve(code ?? 1))
  })
  for (const signal of signals) process.off(signal, end)
  if (isEnding) process.exit(1)
  return code
}

async function test() {
  const report = join(tmpdir(), `wavemill-test-${process.pid}.json`)
  const hasReporter = args.some((arg) => arg.startsWith('--reporter'))
  const reporters = hasReporter
    ? []
    : ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  process.exitCode = await runVisibly(tool('vitest'), ['run', ...reporters, ...args])
  if (!existsSync(report)) return
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
  rmSync(report)
  // A test file that cannot be loaded has no test that could fail.
  const failed = Math.max(numFailedTests, process.exitCode === 0 ? 0 : 1)
  console.log(`${numPassedTests} passed, ${failed} failed`)
}

/** All of them, so that one run shows every fault. */
async function check() {
  const checks = [['biome', 'ci', '.'], ['tsc', '-p', 'tsconfig.check.json'], ['tsc', '-p', 'web'], ['knip']]
  const failed = []
  for (const [command, ...options] of checks) {
    if ((await runVisibly(tool(command), options)) !== 0) failed.push(command)
  }
  if (!auditPackages(root, PNPM)) failed.push('audit')
  if (failed.length > 0) quit(`FAILED: ${failed.join(', ')}`)
}

/** `start` in a process of its own, compiled and started again at each change of a source. */
function dev() {
  let service = startService()
  let timer
  let isStopping = false
  for (const folder of packages.filter((folder) => existsSync(join(root, folder, 'src')))) {
    watch(join(root, folder, 'src'), { recursive: true }, () => {
      clearTimeout(timer)
      timer = setTimeout(compile, 300)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      isStopping = true
      service.kill('SIGTERM')
    })
  }

  function startService() {
    const child = spawn(process.execPath, ['--enable-source-maps', 'local/dist/start-main.js'], {
      stdio: 'inherit',
    })
    child.once('exit', (code) => {
      if (isStopping || code !== 0) process.exit(code ?? 1)
      service = startService()
    })
    return child
  }

  function compile() {
    const { status } = spawnSync(tool('tsc'), ['--build'], { stdio: 'inherit' })
    // A second signal would be taken for a person's in a hurry.
    if (status === 0 && !service.killed) service.kill('SIGTERM')
  }
}

function quit(sentence) {
  console.error(sentence)
  process.exit(1)
}
