-- What clients changed of the schema: namespaces they made, declarations they put or dropped.
CREATE TABLE namespaces (
    name    TEXT NOT NULL PRIMARY KEY CHECK (length(name) > 0),
    written TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE declarations (
    position  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    namespace TEXT    NOT NULL,
    kind      INTEGER NOT NULL CHECK (kind IN (1, 2)),
    name      TEXT    NOT NULL,
    text      TEXT,
    UNIQUE (namespace, kind, name)
) STRICT;

-- Instances of classes that no other provider serves.
CREATE TABLE instances (
    id        INTEGER NOT NULL PRIMARY KEY,
    namespace TEXT    NOT NULL,
    class     TEXT    NOT NULL,
    keys      TEXT    NOT NULL,
    format    INTEGER NOT NULL CHECK (format > 0),
    data      TEXT    NOT NULL,
    UNIQUE (namespace, class, keys)
) STRICT;
CREATE INDEX instances_by_class ON instances (namespace, class, id);

-- What stored associations refer to, by the namespace and keys of the object.
CREATE TABLE instance_references (
    target   TEXT    NOT NULL,
    instance INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    PRIMARY KEY (target, instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX instance_references_by_instance ON instance_references (instance);
