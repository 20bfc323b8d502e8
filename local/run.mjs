#!/usr/bin/env node
/** The commands of package.json: `node local/run.mjs start|dev|test|check|books|bench`. Each first sets up what it needs. */
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'
const packages = ['core', 'prisma', 'api', 'worker', 'local', 'bench', 'examples']
const root = fileURLToPath(new URL('..', import.meta.url))
const tool = (name) => join(root, 'node_modules', '.bin', name)

const commands = {
  start: () => runMain('./dist/start-main.js'),
  books: () => runMain('./dist/books-main.js'),
  bench: () => runMain('../bench/dist/main.js'),
  dev,
  test,
  check,
}

const [name = '', ...args] = process.argv.slice(2)
if (!Object.hasOwn(commands, name)) quit(`Say one of ${Object.keys(commands).join(', ')}.`)
refuseOldNode()
process.chdir(root)
installPackages()
generateClient()
if (name !== 'check') runQuietly('Compiling', tool('tsc'), ['--build'])
await commands[name]()

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  quit(`Wavemill needs Node 20.19 or newer, and this is ${process.versions.node}: https://nodejs.org`)
}

function installPackages() {
  const manifests = packages.map((folder) => join(folder, 'package.json'))
  const inputs = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]
  // pnpm's links and the programs among the packages are made for one place and one machine.
  const machine = `${PNPM} ${process.platform} ${process.arch} ${root}`
  onceFor('node_modules/.wavemill-install', machine, inputs, () => {
    console.error('Installing packages ...')
    // CI: it asks nothing.
    const env = { ...process.env, CI: 'true' }
    runQuietly('Installing packages', 'npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], env)
  })
}

function generateClient() {
  const inputs = ['prisma/schema.prisma', 'prisma/prisma.config.ts', 'pnpm-lock.yaml']
  onceFor('prisma/src/generated/.wavemill-schema', '', inputs, () => {
    const prisma = join(root, 'prisma', 'node_modules', '.bin', 'prisma')
    const config = join(root, 'prisma', 'prisma.config.ts')
    runQuietly('Generating the database client', prisma, ['generate', '--config', config])
  })
}

/** Does `work` unless it was done before for the same inputs, whose digest the file `stamp` holds. */
function onceFor(stamp, seed, inputs, work) {
  const hash = createHash('sha256').update(seed)
  for (const input of inputs) hash.update(`\0${input}\0`).update(readFileSync(join(root, input)))
  const digest = hash.digest('hex')
  const path = join(root, stamp)
  if (existsSync(path) && readFileSync(path, 'utf8') === digest) return
  work()
  writeFileSync(path, digest)
}

/** Runs a tool to its end; what it printed is shown only if it failed. */
function runQuietly(title, command, args, env = process.env) {
  const options = { cwd: root, env, encoding: 'utf8', maxBuffer: 64 * 1_048_576 }
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, options)
  if (signal !== null && error === undefined) process.exit(1) // the user's Ctrl-C
  if (status !== 0) quit(`${title} failed.\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
}

/** In this process, so that signals reach it directly; it finds its arguments where any program does. */
async function runMain(path) {
  process.argv.splice(2, 1)
  process.setSourceMapsEnabled(true)
  await import(path)
}

/** Runs a tool in the foreground. @returns its exit code. */
function runVisibly(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' })
  // A terminal sends its Ctrl-C to the child as well; here it must only not end us first.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve) => {
    child.once('error', (error) => quit(error.message))
    child.once('exit', (code) => resolve(code ?? 1))
  })
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
  console.log(`${numPassedTests} passed, ${numFailedTests} failed`)
}

/** All of them, so that one run shows every fault. */
async function check() {
  const checks = [['biome', 'ci', '.'], ['tsc', '-p', 'tsconfig.check.json'], ['knip']]
  const failed = []
  for (const [command, ...options] of checks) {
    if ((await runVisibly(tool(command), options)) !== 0) failed.push(command)
  }
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
    if (status === 0) service.kill('SIGTERM')
  }
}

function quit(sentence) {
  console.error(sentence)
  process.exit(1)
}
