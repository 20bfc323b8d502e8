/** What the downloads and the waiting are measured with, against servers whose answers are known. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { gatherCrowd } from '../src/crowd.ts'
import { askByTurns } from '../src/load.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP port')
  return `http://127.0.0.1:${address.port}`
}

describe('asking by turns', () => {
  it('asks so often, over so many connections, for each address on a connection of its own', async () => {
    const asked: string[] = []
    const sockets = new Set<unknown>()
    const url = await serve((request, response) => {
      asked.push(request.url ?? '')
      sockets.add(request.socket)
      setTimeout(() => response.end('x'.repeat(100_000)), 2)
    })
    const addresses = [`${url}/a?b=1`, `${url}/b`]
    const load = await askByTurns(addresses, { connections: 4, requests: 40, expected: 200 })
    expect(asked).toHaveLength(40)
    expect(new Set(asked)).toEqual(new Set(['/a?b=1', '/b']))
    expect(sockets.size).toBe(4)
    expect(load.latenciesMs).toHaveLength(40)
    expect(load.perSecond).toBeGreaterThan(0)
  })

  it('is no measurement where an answer is another', async () => {
    const url = await serve((_request, response) => response.writeHead(503).end())
    const asked = askByTurns([url], { connections: 1, requests: 5, expected: 200 })
    await expect(asked).rejects.toThrow('answered with 503, not 200')
  })
})

describe('a crowd', () => {
  it('waits, each on a connection of its own, until all are told', async () => {
    const told: (() => void)[] = []
    const url = await serve((request, response) => {
      expect(request.headers).toMatchObject({ prefer: 'wait=60' })
      response.write('not yet\n')
      told.push(() => response.end('now\n'))
    })
    const crowd = await gatherCrowd(url, 20, { prefer: 'wait=60' }, (answer) => answer.includes('now'))
    while (told.length < 20) await new Promise((resolve) => setTimeout(resolve, 5))
    const before = Date.now()
    for (const tell of told) tell()
    const at = await crowd.told
    expect(at).toHaveLength(20)
    expect(Math.min(...at)).toBeGreaterThanOrEqual(before)
    crowd.leave()
  })

  it('says what came instead, where an answer ends before it tells', async () => {
    const url = await serve((_request, response) => response.setHeader('connection', 'close').end('never'))
    const crowd = await gatherCrowd(url, 1, {}, (answer) => answer.includes('now'))
    await expect(crowd.told).rejects.toThrow(/ended before it told: HTTP\/1.1 200 OK/)
    crowd.leave()
  })
})
