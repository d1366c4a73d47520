-- What scanners said; `stage` is its place in the pipeline.
CREATE TABLE reports (
    run TEXT COLLATE "C" REFERENCES runs (id) ON DELETE CASCADE,
    stage INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (run, stage)
);
