-- AlterTable
ALTER TABLE "user" ADD COLUMN     "last_round" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "segment" ADD COLUMN     "round" INTEGER NOT NULL DEFAULT 1;

-- What follows is written by hand, since Prisma's schema has no words for it; `prisma migrate diff` does not see it.

-- The queue knows no other priorities.
ALTER TABLE "user" ADD CONSTRAINT "user_last_round_range" CHECK ("last_round" BETWEEN 0 AND 2097151);
ALTER TABLE "segment" ADD CONSTRAINT "segment_round_range" CHECK ("round" BETWEEN 1 AND 2097151);

-- The round being served is looked up at each upload, and whether the user has something that waits.
CREATE INDEX "segment_waiting_idx" ON "segment" ("round") WHERE "done_at" IS NULL AND "attempt" = 0;
CREATE INDEX "record_unfinished_of_user_idx" ON "record" ("user_id", "key") WHERE "status" IN ('queued', 'processing');
