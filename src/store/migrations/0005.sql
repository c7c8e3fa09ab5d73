-- What clients set up so that they are told of events: filters, destinations, subscriptions and the
-- like, in the order in which they were made. `data` holds the instance as JSON of version `format`.
CREATE TABLE event_objects (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    path     TEXT    NOT NULL UNIQUE CHECK (length(path) > 0),
    owner    TEXT    NOT NULL,
    sees_all INTEGER NOT NULL CHECK (sees_all IN (0, 1)),
    format   INTEGER NOT NULL CHECK (format > 0),
    data     TEXT    NOT NULL
) STRICT;
