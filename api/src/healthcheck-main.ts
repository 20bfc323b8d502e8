/** The container's health check: exits with 0 if the API of this container answers, with 1 otherwise. */
const port = process.env.PORT ?? '8080'
try {
  const answer = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(3_000) })
  process.exitCode = answer.ok ? 0 : 1
} catch {
  process.exitCode = 1
}
