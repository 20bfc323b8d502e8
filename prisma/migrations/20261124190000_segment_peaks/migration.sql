-- AlterTable
ALTER TABLE "segment" ADD COLUMN     "peaks" BYTEA;
