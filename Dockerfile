# Builds the two images that compose.yaml runs from the lockfile: `api` (which also migrates) and `worker` (with ffmpeg).

FROM node:24-bookworm-slim AS workspace
WORKDIR /app
RUN npm install --global --no-fund --no-audit pnpm@12.21.0
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY core/package.json core/
COPY prisma/package.json prisma/
COPY api/package.json api/
COPY worker/package.json worker/
COPY web/package.json web/

# What the images keep: production dependencies, without local/ and its embedded PostgreSQL.
FROM workspace AS dependencies
RUN --mount=type=cache,target=/pnpm-store \
    pnpm install --store-dir=/pnpm-store --frozen-lockfile --prod --filter '@wavemill/api...' --filter '@wavemill/worker...'

FROM workspace AS build
RUN --mount=type=cache,target=/pnpm-store \
    pnpm install --store-dir=/pnpm-store --frozen-lockfile --filter wavemill --filter '@wavemill/api...' --filter '@wavemill/worker...'
COPY . .
RUN pnpm --filter @wavemill/prisma run generate && pnpm exec tsc --build api worker && pnpm --filter @wavemill/web exec vite build

FROM node:24-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
# A new volume takes its owner from the folder that it is mounted on.
RUN install --directory --owner=node --group=node /var/lib/wavemill/wav
USER node
STOPSIGNAL SIGTERM

FROM runtime AS api
COPY --from=dependencies /app ./
COPY --from=build /app/core/dist core/dist
COPY --from=build /app/prisma/dist prisma/dist
COPY --from=build /app/prisma/migrations prisma/migrations
COPY --from=build /app/api/dist api/dist
COPY --from=build /app/web/dist web/dist
EXPOSE 8080
CMD ["node", "--enable-source-maps", "--max-semi-space-size=4", "api/dist/main.js"]

FROM runtime AS worker
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ffmpeg \
 && rm -rf /var/lib/apt/lists/*
USER node
COPY --from=dependencies /app ./
COPY --from=build /app/core/dist core/dist
COPY --from=build /app/prisma/dist prisma/dist
COPY --from=build /app/prisma/migrations prisma/migrations
COPY --from=build /app/worker/dist worker/dist
# Why: see local/src/service.ts.
CMD ["node", "--enable-source-maps", "--single-threaded-gc", "worker/dist/main.js"]
