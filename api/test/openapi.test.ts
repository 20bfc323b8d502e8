/** The description of the API: that it is well-formed, whole, and true of itself. */
import { validate } from '@scalar/openapi-parser'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collectRoutes } from '../src/openapi/collect-routes.ts'
import { type OpenApiDocument, openApiDocument } from '../src/openapi/document.ts'
import { type RunningApp, startApp } from './running-app.ts'

let app: RunningApp
let document: OpenApiDocument
beforeAll(async () => {
  app = await startApp()
  document = (await (await fetch(`${app.baseUrl}/openapi.json`)).json()) as OpenApiDocument
})
afterAll(() => app?.stop())

describe('/openapi.json', () => {
  it('is a valid document of OpenAPI 3.1', async () => {
    const { valid, errors, version } = await validate(JSON.stringify(document))
    expect(errors).toEqual([])
    expect(valid).toBe(true)
    expect(version).toBe('3.1')
  })

  it('has an example of each body, and each is as its schema says', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true })
    addFormats.default(ajv)
    ajv.addFormat('binary', true)
    ajv.addSchema(document, 'openapi.json')
    const bodies = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { requestBody, responses }]) =>
        [requestBody, ...Object.values(responses)].flatMap((body) =>
          Object.entries(body?.content ?? {})
            .filter(([type]) => /json/.test(type))
            .map(([type, media]) => ({ name: `${method} ${path} ${type}`, media })),
        ),
      ),
    )
    for (const { name, media } of bodies) {
      if (name === 'get /openapi.json application/json') continue // itself
      const examples = Object.values(media.examples ?? {}).map(({ value }) => value)
      const values = media.example === undefined ? examples : [media.example]
      expect(values.length, name).toBeGreaterThan(0)
      const schema = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/', '"openapi.json#/'))
      for (const value of values) {
        expect(ajv.validate(schema, value), `${name}: ${ajv.errorsText()}`).toBe(true)
      }
    }
    expect(bodies.length).toBeGreaterThan(50)
  })

  it('names the host that was asked, or PUBLIC_URL, as the server', async () => {
    expect(document.servers).toEqual([{ url: app.baseUrl }])
    const published = await startApp({ settings: { publicUrl: 'https://mill.example/audio' } })
    try {
      const answer = await fetch(`${published.baseUrl}/openapi.json`)
      expect(await answer.json()).toMatchObject({ servers: [{ url: 'https://mill.example/audio' }] })
    } finally {
      await published.stop()
    }
  })

  it('gives each operation an id of its own', () => {
    const ids = Object.values(document.paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('cannot be made while a route is not described', async () => {
    const other = fastify()
    const routes = collectRoutes(other)
    other.get('/elsewhere', async () => ({}))
    expect(() => openApiDocument(routes, app.baseUrl)).toThrow('GET /elsewhere is not described')
    await other.close()
  })
})
