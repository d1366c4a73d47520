-- What scanners said; `stage` is its place in the pipeline.
CREATE TABLE reports (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    stage INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, stage)
) STRICT, WITHOUT ROWID;
