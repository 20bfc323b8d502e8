import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { claimPort, localAddress } from '../src/listen-address.ts'

async function listen(): Promise<{ port: number; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { port, close: () => void server.close() }
}

it('says that a port is taken, and what to do', async () => {
  const { port } = await listen()
  await expect(claimPort('127.0.0.1', port, 0)).rejects.toThrow(`port ${port} is taken by another program`)
})

it('waits for a port that is let go of in time', async () => {
  const { port, close } = await listen()
  const claimed = claimPort('127.0.0.1', port, 30_000)
  await sleep(300)
  close()
  expect(await claimed).toBe(port)
})

it('says that nobody can listen on an address that is not of this machine', async () => {
  await expect(claimPort('192.0.2.1', 8080, 0)).rejects.toThrow('is HOST right?')
})

it('chooses a port for 0 on which one can listen', async () => {
  const port = await claimPort('127.0.0.1', 0, 0)
  const server = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
})

it.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://127.0.0.1:80'],
  ['::1', 'http://[::1]:80'],
  ['audio.example.org', 'http://audio.example.org:80'],
])('is reached, listening on %s, at %s', (host, address) => {
  expect(localAddress(host, 80)).toBe(address)
})
