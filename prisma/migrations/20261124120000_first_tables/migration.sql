-- CreateEnum
CREATE TYPE "record_status" AS ENUM ('queued', 'processing', 'ready', 'failed', 'deleted', 'expired');

-- CreateTable
CREATE TABLE "user" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "record" (
    "key" BIGSERIAL NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "status" "record_status" NOT NULL DEFAULT 'queued',
    "failure_code" TEXT,
    "failure_detail" TEXT,
    "warnings" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "file_name" TEXT NOT NULL,
    "options" JSONB NOT NULL DEFAULT '{}',
    "codec" TEXT NOT NULL,
    "sample_rate" INTEGER NOT NULL,
    "channels" INTEGER NOT NULL,
    "bits_per_sample" INTEGER NOT NULL,
    "samples" BIGINT NOT NULL,
    "source" JSONB NOT NULL,
    "wav_bytes" BIGINT NOT NULL,
    "wav_sha256" BYTEA NOT NULL,
    "mp3_size" BIGINT,
    "mp3_sha256" BYTEA,
    "segments_done" INTEGER NOT NULL DEFAULT 0,
    "segments_total" INTEGER NOT NULL,
    "progress" REAL NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "ready_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "record_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "segment" (
    "record_key" BIGINT NOT NULL,
    "seq" INTEGER NOT NULL,
    "start_byte" BIGINT NOT NULL,
    "end_byte" BIGINT NOT NULL,
    "first_frame" INTEGER NOT NULL,
    "frames" INTEGER NOT NULL,
    "warm_up_frames" INTEGER NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "errors" INTEGER NOT NULL DEFAULT 0,
    "deaths" INTEGER NOT NULL DEFAULT 0,
    "taken_at" TIMESTAMPTZ(3),
    "worker" TEXT,
    "next_try_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "done_at" TIMESTAMPTZ(3),
    "bytes" BIGINT,
    "failure" TEXT,

    CONSTRAINT "segment_pkey" PRIMARY KEY ("record_key","seq")
);

-- CreateTable
CREATE TABLE "chunk" (
    "record_key" BIGINT NOT NULL,
    "segment" INTEGER NOT NULL,
    "part" INTEGER NOT NULL,
    "data" BYTEA NOT NULL,
    "size" INTEGER NOT NULL,

    CONSTRAINT "chunk_pkey" PRIMARY KEY ("record_key","segment","part")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_name_key" ON "user"("name");

-- CreateIndex
CREATE UNIQUE INDEX "record_id_key" ON "record"("id");

-- CreateIndex
CREATE INDEX "record_user_id_key_idx" ON "record"("user_id", "key" DESC);

-- AddForeignKey
ALTER TABLE "record" ADD CONSTRAINT "record_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "segment" ADD CONSTRAINT "segment_record_key_fkey" FOREIGN KEY ("record_key") REFERENCES "record"("key") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunk" ADD CONSTRAINT "chunk_record_key_fkey" FOREIGN KEY ("record_key") REFERENCES "record"("key") ON DELETE CASCADE ON UPDATE CASCADE;

-- What follows is written by hand, since Prisma's schema has no words for it; `prisma migrate diff` does not see it.

-- MP3 does not compress, and a window of a value is read without the rest of it.
ALTER TABLE "chunk" ALTER COLUMN "data" SET STORAGE EXTERNAL;

ALTER TABLE "user"
    ADD CONSTRAINT "user_name_length" CHECK (char_length("name") BETWEEN 1 AND 100),
    ADD CONSTRAINT "user_token_hash_is_sha256" CHECK (octet_length("token_hash") = 32);

ALTER TABLE "record"
    ADD CONSTRAINT "record_source_is_audio" CHECK ("sample_rate" > 0 AND "channels" > 0 AND "bits_per_sample" > 0 AND "samples" > 0 AND "wav_bytes" > 0),
    ADD CONSTRAINT "record_wav_sha256_is_sha256" CHECK (octet_length("wav_sha256") = 32),
    ADD CONSTRAINT "record_counts_segments" CHECK ("segments_total" > 0 AND "segments_done" BETWEEN 0 AND "segments_total"),
    ADD CONSTRAINT "record_progress_is_a_share" CHECK ("progress" BETWEEN 0 AND 1),
    ADD CONSTRAINT "record_ready_is_whole" CHECK ("status" <> 'ready' OR (
        "segments_done" = "segments_total" AND "ready_at" IS NOT NULL AND "mp3_size" IS NOT NULL AND "mp3_size" > 0
        AND "mp3_sha256" IS NOT NULL AND octet_length("mp3_sha256") = 32)),
    ADD CONSTRAINT "record_failed_says_why" CHECK (("status" = 'failed') = ("failure_code" IS NOT NULL)),
    ADD CONSTRAINT "record_removed_says_when" CHECK (("status" IN ('deleted', 'expired')) = ("removed_at" IS NOT NULL));

ALTER TABLE "segment"
    ADD CONSTRAINT "segment_range" CHECK ("seq" >= 0 AND "start_byte" >= 0 AND "end_byte" > "start_byte"),
    ADD CONSTRAINT "segment_frames" CHECK ("frames" > 0 AND "first_frame" >= 0 AND "warm_up_frames" BETWEEN 0 AND "first_frame"),
    ADD CONSTRAINT "segment_counts" CHECK ("attempt" >= 0 AND "errors" >= 0 AND "deaths" >= 0),
    ADD CONSTRAINT "segment_done_is_whole" CHECK (("done_at" IS NULL) = ("bytes" IS NULL) AND ("done_at" IS NULL OR "taken_at" IS NULL));

-- Segment -1 is the head.
ALTER TABLE "chunk"
    ADD CONSTRAINT "chunk_place" CHECK ("segment" >= -1 AND "part" >= 0),
    ADD CONSTRAINT "chunk_size" CHECK ("size" = octet_length("data") AND "size" BETWEEN 1 AND 1048576);

-- Of a large installation's records and segments only a few are unfinished, about to expire, or tombstones.
CREATE INDEX "record_unfinished_idx" ON "record" ("key") WHERE "status" IN ('queued', 'processing');
CREATE INDEX "record_expiring_idx" ON "record" ("expires_at") WHERE "expires_at" IS NOT NULL AND "status" IN ('ready', 'failed');
CREATE INDEX "record_tombstone_idx" ON "record" ("removed_at") WHERE "removed_at" IS NOT NULL;
CREATE INDEX "segment_open_idx" ON "segment" ("record_key", "seq") WHERE "done_at" IS NULL;
