-- Whether a delivery's body is an LZ4 block behind its size. A push of 10 kB takes half the place, and the inbox takes in more.
ALTER TABLE deliveries ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;
