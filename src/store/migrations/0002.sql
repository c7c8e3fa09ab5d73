-- History outlives jobs where that is wanted, and knows how much each run wrote.
CREATE TABLE runs_of_2 (
    job          TEXT    NOT NULL CHECK (length(job) > 0),
    number       INTEGER NOT NULL CHECK (number > 0),
    owner        TEXT    NOT NULL,
    started      INTEGER NOT NULL,
    ended        INTEGER,
    elapsed_us   INTEGER NOT NULL CHECK (elapsed_us >= 0),
    exit         TEXT,
    error_code   INTEGER CHECK ((error_code IS NOT NULL) = (ended IS NOT NULL)),
    percent      INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
    priority     INTEGER NOT NULL,
    cpu_us       INTEGER,
    max_rss      INTEGER,
    stdout_bytes INTEGER,
    stderr_bytes INTEGER,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

INSERT INTO runs_of_2
SELECT job, number, jobs.owner, started, runs.ended, elapsed_us, exit, error_code, percent,
       runs.priority, cpu_us, max_rss, NULL, NULL
FROM runs JOIN jobs ON jobs.id = runs.job;

DROP TABLE runs;
ALTER TABLE runs_of_2 RENAME TO runs;
CREATE INDEX runs_by_end ON runs (ended) WHERE ended IS NOT NULL;
