-- Records are JSON documents; the columns beside them are what is looked up by. The bodies are text and not jsonb, because they are read and
-- written whole, and jsonb refuses what a log line may hold. Names compare byte by byte, as they do in Kiwi, whatever the database's locale.
--
-- Migrations only ever go forward, and each leaves the tables usable by the version before, which still runs while replicas are upgraded. One that
-- cannot, raises `oldest` in `meta` to its own number: a Kiwi that does not know it then refuses to start.
CREATE TABLE meta (name TEXT COLLATE "C" PRIMARY KEY, value BYTEA NOT NULL);
INSERT INTO meta (name, value) VALUES ('oldest', '1');

CREATE TABLE services (
    id TEXT COLLATE "C" PRIMARY KEY,
    organization TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C",
    runtime TEXT COLLATE "C" NOT NULL,
    build_runtime TEXT COLLATE "C",
    registry TEXT COLLATE "C",
    body TEXT NOT NULL,
    UNIQUE (organization, name)
);
-- Whether a service uses what somebody wants to remove.
CREATE INDEX services_by_provider ON services (organization, provider);
CREATE INDEX services_by_runtime ON services (organization, runtime);
CREATE INDEX services_by_build_runtime ON services (organization, build_runtime);
CREATE INDEX services_by_registry ON services (organization, registry);

CREATE TABLE runtimes (organization TEXT COLLATE "C", name TEXT COLLATE "C", body TEXT NOT NULL, PRIMARY KEY (organization, name));
CREATE TABLE registries (organization TEXT COLLATE "C", name TEXT COLLATE "C", body TEXT NOT NULL, PRIMARY KEY (organization, name));
CREATE TABLE providers (organization TEXT COLLATE "C", kind TEXT COLLATE "C", body TEXT NOT NULL, PRIMARY KEY (organization, kind));

-- Git hosts take two names that differ by case alone for one; `name` is in lower case, the body has it as it was given.
CREATE TABLE users (organization TEXT COLLATE "C", name TEXT COLLATE "C", body TEXT NOT NULL, PRIMARY KEY (organization, name));

-- `key_id` says which key sealed the value; the check in `meta` is of the key that seals new ones.
CREATE TABLE secrets (id TEXT COLLATE "C" PRIMARY KEY, key_id TEXT COLLATE "C" NOT NULL, sealed BYTEA NOT NULL);

CREATE TABLE environments (
    service TEXT COLLATE "C" REFERENCES services (id) ON DELETE CASCADE,
    environment TEXT COLLATE "C",
    body TEXT NOT NULL,
    PRIMARY KEY (service, environment)
);

-- Room in every page keeps the frequent writes of a record away from the indices.
CREATE TABLE runs (
    id TEXT COLLATE "C" PRIMARY KEY,
    organization TEXT COLLATE "C" NOT NULL,
    service TEXT COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    slot TEXT COLLATE "C" NOT NULL,
    finished BOOLEAN NOT NULL,
    cancel_requested BOOLEAN NOT NULL,
    body TEXT NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX runs_by_organization ON runs (organization, id);
CREATE INDEX runs_by_service ON runs (service, id);
CREATE INDEX runs_by_slot ON runs (slot, id);
CREATE INDEX runs_unfinished_by_organization ON runs (organization, id) WHERE NOT finished;
CREATE INDEX runs_unfinished_by_slot ON runs (slot, id) WHERE NOT finished;

-- One row per thing that runs take turns on. The epoch only ever rises. `until` is in the database's time.
CREATE TABLE slots (
    slot TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT NOT NULL,
    run TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    held BOOLEAN NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE deployments (
    service TEXT COLLATE "C" REFERENCES services (id) ON DELETE CASCADE,
    environment TEXT COLLATE "C",
    revision BIGINT,
    run TEXT COLLATE "C" NOT NULL UNIQUE,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (service, environment, revision)
);
CREATE UNIQUE INDEX deployments_live ON deployments (service, environment) WHERE live;

CREATE TABLE events (
    run TEXT COLLATE "C" REFERENCES runs (id) ON DELETE CASCADE,
    sequence BIGINT,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, sequence)
);
