/** Builds the HTTP application out of parts that are handed in. Its table of routes is here. */
import { setMaxListeners } from 'node:events'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { createAdmin } from './admin.ts'
import { createFollow } from './follow-record.ts'
import { createLoginAttempts } from './login-attempts.ts'
import { createReadMoment } from './moment.ts'
import { collectRoutes } from './openapi/collect-routes.ts'
import { createLookAhead } from './outlook.ts'
import { type AppParts, defaultLimits } from './parts.ts'
import { createRates } from './rates.ts'
import { takeRawWav } from './raw-upload.ts'
import { dashboard } from './routes/dashboard.ts'
import { docs } from './routes/docs.ts'
import { liveRoute, readyRoute } from './routes/health.ts'
import { page } from './routes/page.ts'
import { deleteRecordRoute } from './routes/record-delete.ts'
import { downloadRecordRoute } from './routes/record-download.ts'
import { recordEventsRoute } from './routes/record-events.ts'
import { recordPeaksRoute } from './routes/record-peaks.ts'
import { recordStatusRoute } from './routes/record-status.ts'
import { uploadRecordRoute } from './routes/record-upload.ts'
import { listRecordsRoute } from './routes/records.ts'
import { recordsEventsRoute } from './routes/records-events.ts'
import { deleteUserRoute } from './routes/user-delete.ts'
import { renewTokenRoute } from './routes/user-token.ts'
import { createUserRoute } from './routes/users.ts'
import { createServer } from './server.ts'
import { shedLoad } from './shed-load.ts'
import { takeNoBody } from './take-no-body.ts'

/** Listens nowhere yet. Closing it leaves the parts open: they are the caller's. */
export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const limits = { ...defaultLimits, ...parts.limits }
  const app = await createServer(parts, limits)
  const rates = await createRates(app, parts)
  await shedLoad(app, rates, limits)
  const admin = createAdmin(parts.settings, createLoginAttempts())
  const routes = collectRoutes(app)
  const readMoment = createReadMoment(parts.db, createLookAhead(parts.db))
  const follow = createFollow(readMoment, parts.watch)
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // one for each who waits
  app.addHook('preClose', async () => closing.abort()) // whoever waits is answered at once
  const waiting = { db: parts.db, readMoment, follow, closing: closing.signal }

  // Each way of sending a body has a scope of its own, so that no other route takes it.
  const json = app.withTypeProvider<TypeBoxTypeProvider>()
  json.get('/health/live', liveRoute())
  json.get('/health/ready', readyRoute(parts))
  json.route({ method: ['GET', 'HEAD'], url: '/record', ...downloadRecordRoute(waiting) })
  json.get('/record/status', recordStatusRoute(parts))
  json.get('/record/peaks', recordPeaksRoute(waiting))
  json.get('/record/events', recordEventsRoute(waiting, limits))
  json.get('/records/events', recordsEventsRoute(waiting, limits))
  await app.register(async (scope) => {
    await scope.register(formbody)
    scope.withTypeProvider<TypeBoxTypeProvider>().post('/user', createUserRoute({ ...parts, admin }))
  })
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    await scope.register(multipart)
    takeRawWav(scope)
    scope
      .withTypeProvider<TypeBoxTypeProvider>()
      .post('/record', uploadRecordRoute(parts, rates.uploads, limits))
  })
  await app.register(async (scope) => {
    takeNoBody(scope)
    const own = scope.withTypeProvider<TypeBoxTypeProvider>()
    own.get('/records', listRecordsRoute(parts))
    own.delete('/record', deleteRecordRoute(parts))
    own.post('/user/token', renewTokenRoute({ ...parts, admin }))
    own.delete('/user', deleteUserRoute({ ...parts, admin }))
  })
  await app.register(docs(parts, routes)) // /openapi.json and /docs
  await app.register(page) // at /
  await app.register(dashboard(parts, admin)) // below /queues
  return app
}
