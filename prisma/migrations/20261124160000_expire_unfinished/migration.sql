-- Written by hand, since Prisma's schema has no words for it; `prisma migrate diff` does not see it.

-- A record may expire before it is ready: the index of those that are about to has them all.
DROP INDEX "record_expiring_idx";
CREATE INDEX "record_expiring_idx" ON "record" ("expires_at") WHERE "expires_at" IS NOT NULL AND "status" NOT IN ('deleted', 'expired');
