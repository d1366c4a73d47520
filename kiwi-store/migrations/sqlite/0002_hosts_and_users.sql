CREATE TABLE providers (organization TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (organization, kind)) STRICT, WITHOUT ROWID;

-- Git hosts take two names that differ by case alone for one.
CREATE TABLE users (organization TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, body TEXT NOT NULL, PRIMARY KEY (organization, name)) STRICT, WITHOUT ROWID;
