-- Whether a delivery's body is an LZ4 block behind its size. Kiwi packs it: PostgreSQL's own packing, which is left out now, took most of the inbox's time.
ALTER TABLE deliveries ADD COLUMN packed BOOLEAN NOT NULL DEFAULT false, ALTER COLUMN body SET STORAGE EXTERNAL;
