/** Builds the page into dist/: relative addresses, so that a proxy may have it below a path, and a gzipped twin of each file. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

export default defineConfig({
  base: './',
  html: { cspNonce: '__NONCE__' }, // the API puts another one in with each answer
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the page's policy forbids data: addresses
  },
  server: { proxy: { '^/(user|record|openapi|docs|health)': 'http://127.0.0.1:8080' } },
  plugins: [gzipTwins()],
})

/** The API sends them as they are: it never compresses while somebody waits. */
function gzipTwins(): Plugin {
  let folder = ''
  return {
    name: 'gzip-twins',
    apply: 'build',
    configResolved({ root, build }) {
      folder = join(root, build.outDir)
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|svg)$/.test(name)) continue
        const path = join(folder, name)
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
      }
    },
  }
}
