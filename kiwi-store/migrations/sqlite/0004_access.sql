-- Tokens: what changes later is beside the body, so that two who change it at once do not undo each other. `hash` opens nothing by itself.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL,
    user TEXT NOT NULL COLLATE NOCASE,
    hash BLOB NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (organization, user, id);

CREATE TABLE audit (organization TEXT NOT NULL, id TEXT NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (organization, id)) STRICT, WITHOUT ROWID;
CREATE INDEX audit_by_actor ON audit (organization, actor, id);

-- Idempotency keys; `answer` names a secret.
CREATE TABLE keys (
    organization TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    until INTEGER NOT NULL,
    answer TEXT,
    PRIMARY KEY (organization, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_time ON keys (until);
