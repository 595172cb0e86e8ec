-- The words of closed sets are not listed in CHECKs: a new word must not cost a rebuild of its table. Reading refuses
-- words it does not know.

CREATE TABLE meta (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    store_id BLOB NOT NULL CHECK (length(store_id) = 16)
) STRICT;

CREATE TABLE migration (
    number INTEGER PRIMARY KEY,
    -- SHA-256 of the migration's text.
    checksum BLOB NOT NULL CHECK (length(checksum) = 32)
) STRICT;

CREATE TABLE connection (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    name TEXT NOT NULL,
    -- The name without its case, derived by the program: SQLite's NOCASE knows ASCII only.
    name_key TEXT NOT NULL UNIQUE,
    driver_type TEXT NOT NULL,
    -- Parts joined by '/', empty at the top.
    folder TEXT NOT NULL,
    environment TEXT NOT NULL,
    read_only INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    -- 'default', 'none' or 'after'; only the last has a span.
    deadline TEXT NOT NULL,
    deadline_ns INTEGER,
    -- Unsigned 64-bit counts, stored as the same bits.
    rows_max INTEGER,
    bytes_max INTEGER,
    startup_sql TEXT,
    default_schema TEXT,
    secret_place TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    last_access_us INTEGER,
    CHECK ((deadline = 'after') = (deadline_ns IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE parameter (
    connection_id BLOB NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (connection_id, position)
) STRICT, WITHOUT ROWID;

-- Counts and outcomes, never the text of a query.
CREATE TABLE run (
    -- AUTOINCREMENT: numbers grow for ever, so the oldest rows are the ones with the smallest numbers.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id BLOB NOT NULL CHECK (length(session_id) = 16),
    -- No foreign key: history outlives its connection. Null for a run on an unsaved one.
    connection_id BLOB,
    driver_type TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
