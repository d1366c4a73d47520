-- Records are JSON documents; the columns beside them are what is looked up by. Migrations only ever go forward, and each
-- leaves the tables usable by the version before.
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE services (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    runtime TEXT NOT NULL,
    build_runtime TEXT,
    registry TEXT,
    body TEXT NOT NULL,
    UNIQUE (organization, name)
) STRICT;

CREATE TABLE runtimes (organization TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (organization, name)) STRICT, WITHOUT ROWID;
CREATE TABLE registries (organization TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (organization, name)) STRICT, WITHOUT ROWID;

-- `key_id` says which key sealed the value, so that a rotation can be resumed.
CREATE TABLE secrets (id TEXT PRIMARY KEY, key_id TEXT NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE environments (
    service TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (service, environment)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL,
    service TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    slot TEXT NOT NULL,
    finished INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_service ON runs (service, id);
CREATE INDEX runs_unfinished ON runs (slot, id) WHERE finished = 0;

-- One row per thing that runs take turns on. The epoch only ever rises.
CREATE TABLE slots (
    slot TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    run TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    until INTEGER NOT NULL,
    held INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
    service TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    revision INTEGER NOT NULL,
    run TEXT NOT NULL UNIQUE,
    live INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (service, environment, revision)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX deployments_live ON deployments (service, environment) WHERE live = 1;

CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;
