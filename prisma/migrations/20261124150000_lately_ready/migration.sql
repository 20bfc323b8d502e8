-- Written by hand, since Prisma's schema has no words for it; `prisma migrate diff` does not see it.

-- How fast recordings are transcoded is measured at the latest ones that are ready, each second in which somebody waits.
CREATE INDEX "record_lately_ready_idx" ON "record" ("ready_at" DESC) WHERE "status" = 'ready';
