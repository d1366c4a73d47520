-- What git hosts delivered. Bodies are kept as they came: a signature was over their bytes.
CREATE TABLE deliveries (
    id TEXT COLLATE "C" PRIMARY KEY,
    service TEXT COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    decided BOOLEAN NOT NULL,
    record TEXT NOT NULL,
    body BYTEA NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX deliveries_by_service ON deliveries (service, id);
CREATE INDEX deliveries_undecided ON deliveries (service, id) WHERE NOT decided;

-- Auto CI of services. `version` rises with every decision about a new head; `body` has the settings alone. `due` is in the database's time.
CREATE TABLE auto_ci (
    service TEXT COLLATE "C" PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    head TEXT COLLATE "C",
    run TEXT COLLATE "C",
    failures INTEGER NOT NULL,
    due TIMESTAMPTZ NOT NULL,
    body TEXT NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX auto_ci_due ON auto_ci (due);
-- Which slots are under way, of the many that there ever were.
CREATE INDEX slots_held ON slots (slot) WHERE held;
