/** The container's health check: ends well if the worker beside it takes jobs and its event loop runs. */
import { isBeating } from './heartbeat.ts'

process.exitCode = (await isBeating()) ? 0 : 1
