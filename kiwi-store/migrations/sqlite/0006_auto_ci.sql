-- What git hosts delivered. The record comes before the body, which may be large, so that reading it does not pass the body.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    decided INTEGER NOT NULL,
    record TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX deliveries_by_service ON deliveries (service, id);
CREATE INDEX deliveries_undecided ON deliveries (service, id) WHERE decided = 0;

-- Auto CI of services. `version` rises with every decision about a new head; `body` has the settings alone.
CREATE TABLE auto_ci (
    service TEXT PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    head TEXT,
    run TEXT,
    failures INTEGER NOT NULL,
    due INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX auto_ci_due ON auto_ci (due);
-- Which slots are under way, of the many that there ever were.
CREATE INDEX slots_held ON slots (slot) WHERE held = 1;
