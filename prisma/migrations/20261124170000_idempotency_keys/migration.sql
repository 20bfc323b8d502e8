-- CreateTable
CREATE TABLE "idempotency_key" (
    "user_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "upload_id" UUID NOT NULL,
    "record_key" BIGINT,
    "options_sha256" BYTEA,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("user_id","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "idempotency_key_record_key_key" ON "idempotency_key"("record_key");

-- CreateIndex
CREATE INDEX "idempotency_key_expires_at_idx" ON "idempotency_key"("expires_at");

-- AddForeignKey
ALTER TABLE "idempotency_key" ADD CONSTRAINT "idempotency_key_record_key_fkey" FOREIGN KEY ("record_key") REFERENCES "record"("key") ON DELETE CASCADE ON UPDATE CASCADE;

-- What follows is written by hand, since Prisma's schema has no words for it; `prisma migrate diff` does not see it.

ALTER TABLE "idempotency_key"
    ADD CONSTRAINT "idempotency_key_length" CHECK (char_length("key") BETWEEN 1 AND 255),
    ADD CONSTRAINT "idempotency_key_used_is_whole" CHECK (("record_key" IS NULL) = ("options_sha256" IS NULL)
        AND ("options_sha256" IS NULL OR octet_length("options_sha256") = 32));
