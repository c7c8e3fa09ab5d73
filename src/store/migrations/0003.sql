-- Indications that wait for their destinations, in the order in which they were produced.
CREATE TABLE streams (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    destination TEXT    NOT NULL UNIQUE,
    context     TEXT    NOT NULL,
    next        INTEGER NOT NULL CHECK (next >= 0),
    queued      INTEGER NOT NULL CHECK (queued >= 0),
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    delivered   INTEGER NOT NULL CHECK (delivered >= 0),
    dropped     INTEGER NOT NULL CHECK (dropped >= 0)
) STRICT;

CREATE TABLE outbox (
    position   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    stream     INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    context    TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    queued     INTEGER NOT NULL,
    indication BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_by_stream ON outbox (stream, position);
