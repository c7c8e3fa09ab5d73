-- Jobs with their request ids and history. Times are microseconds since 1970 in UTC.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Typed columns are for looking jobs up; `data` holds the whole record as JSON of version `format`.
CREATE TABLE jobs (
    seq       INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    id        TEXT    NOT NULL UNIQUE CHECK (length(id) > 0),
    revision  INTEGER NOT NULL CHECK (revision > 0),
    state     INTEGER NOT NULL CHECK (state BETWEEN 2 AND 10),
    owner     TEXT    NOT NULL,
    owner_uid INTEGER NOT NULL,
    priority  INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 4294967295),
    queue     TEXT    NOT NULL,
    host      TEXT    NOT NULL,
    next_run  INTEGER,
    ended     INTEGER CHECK ((ended IS NOT NULL) = (state >= 7)),
    format    INTEGER NOT NULL CHECK (format > 0),
    data      TEXT    NOT NULL
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, next_run);
CREATE INDEX jobs_by_owner ON jobs (owner, seq);

CREATE TRIGGER jobs_final_states_have_no_way_out
BEFORE UPDATE OF state ON jobs
WHEN OLD.state >= 7 AND NEW.state <> OLD.state
BEGIN
    SELECT RAISE(ABORT, 'a final state has no way out');
END;

-- Ids that clients chose, for ever: an InstanceID is never used twice.
CREATE TABLE used_ids (
    id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- RequestIDs, until some days after their job was removed.
CREATE TABLE request_ids (
    owner      TEXT NOT NULL,
    request_id TEXT NOT NULL,
    job        TEXT NOT NULL,
    removed    INTEGER,
    PRIMARY KEY (owner, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_ids_by_job ON request_ids (job);
CREATE INDEX request_ids_by_removed ON request_ids (removed) WHERE removed IS NOT NULL;

CREATE TABLE runs (
    job        TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL CHECK (number > 0),
    started    INTEGER NOT NULL,
    ended      INTEGER,
    elapsed_us INTEGER NOT NULL CHECK (elapsed_us >= 0),
    exit       TEXT,
    error_code INTEGER CHECK ((error_code IS NOT NULL) = (ended IS NOT NULL)),
    percent    INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
    priority   INTEGER NOT NULL,
    cpu_us     INTEGER,
    max_rss    INTEGER,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
