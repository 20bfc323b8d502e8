/** A throw-away Compose project of the repository's own compose.yaml, on a free port, with volumes and images of its own. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../support/ports.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

export interface ComposeProject {
  /** Where the API is published, without a trailing slash. */
  readonly baseUrl: string
  /** Runs `docker compose <args>` and returns what it wrote to its standard output. @throws if it fails. */
  compose(...args: string[]): Promise<string>
  /** Builds what has changed, starts everything and waits until it is healthy. */
  up(workers: number): Promise<void>
  /** Ends every process of a service's first container at once, as a crash does: Docker sees it and acts on it. */
  crash(service: string): Promise<void>
  /** Stops everything and removes all that the project made: containers, network, volumes, images. */
  remove(): Promise<void>
}

/** True if a Docker engine answers and Compose is there. */
export async function hasDocker(): Promise<boolean> {
  try {
    await run('docker', ['info'])
    await run('docker', ['compose', 'version'])
    return true
  } catch {
    return false
  }
}

/** Chooses a name and a port; nothing is started before `up`. */
export async function createComposeProject(): Promise<ComposeProject> {
  const port = await freePort()
  const name = `wavemill-story-${port}`
  // What the shell or a developer's .env sets besides must not change the story.
  const env = { ...process.env, PORT: String(port), PUBLIC_URL: '', ADMIN_PASSWORD: '', LOG_LEVEL: 'info' }

  async function compose(...args: string[]): Promise<string> {
    const all = ['compose', '--project-name', name, '--progress', 'plain', ...args]
    const { stdout } = await run('docker', all, { cwd: root, env, maxBuffer: 64 * 1_048_576 }).catch(
      (error) => {
        throw new Error(`docker ${all.join(' ')} failed:\n${error.stdout}${error.stderr}`, { cause: error })
      },
    )
    return stdout
  }

  return {
    baseUrl: `http://127.0.0.1:${port}`,
    compose,
    async up(workers) {
      await compose('up', '--build', '--wait', '--scale', `worker=${workers}`)
    },
    async crash(service) {
      // The shell dies of it too, so the exit code says nothing.
      await compose('exec', '--no-tty', service, 'bash', '-c', 'kill -KILL -1').catch(() => '')
    },
    async remove() {
      await compose('down', '--volumes', '--rmi', 'local', '--timeout', '30')
    },
  }
}
