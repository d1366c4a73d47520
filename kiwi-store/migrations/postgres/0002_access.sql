-- Tokens: what changes later is beside the body, so that two who change it at once do not undo each other. `hash` opens nothing by itself.
-- `owner` is in lower case, the body has it as it was given.
CREATE TABLE tokens (
    id TEXT COLLATE "C" PRIMARY KEY,
    organization TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    body TEXT NOT NULL
);
CREATE INDEX tokens_by_owner ON tokens (organization, owner, id);

CREATE TABLE audit (
    organization TEXT COLLATE "C",
    id TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (organization, id)
);
CREATE INDEX audit_by_actor ON audit (organization, actor, id);

-- Idempotency keys; `answer` names a secret.
CREATE TABLE keys (
    organization TEXT COLLATE "C",
    key TEXT COLLATE "C",
    fingerprint TEXT NOT NULL,
    until BIGINT NOT NULL,
    answer TEXT COLLATE "C",
    PRIMARY KEY (organization, key)
);
CREATE INDEX keys_by_time ON keys (until);
