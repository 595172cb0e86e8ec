-- The history: what ran, whose it was, and how it was called; what was run is kept sealed with the key of texts, or in the
-- clear where the operator says so.

-- How much of its runs the history has: 'texts', 'facts' or 'off'.
ALTER TABLE connection ADD COLUMN history TEXT NOT NULL DEFAULT 'texts';

ALTER TABLE text_key RENAME TO old_text_key;
CREATE TABLE text_key (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- Random, made with the key, and the same when the key is sealed anew: nothing is kept that was sealed with another one.
    id BLOB NOT NULL CHECK (length(id) = 16),
    sealed BLOB NOT NULL,
    key_id BLOB NOT NULL REFERENCES master_key (id),
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO text_key (only_row, id, sealed, key_id, created_us)
SELECT only_row, randomblob(16), sealed, key_id, created_us FROM old_text_key;
DROP TABLE old_text_key;

ALTER TABLE run RENAME TO old_run;
CREATE TABLE run (
    -- AUTOINCREMENT: numbers grow for ever, so the oldest rows are the ones with the smallest numbers.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    owner TEXT NOT NULL,
    session_id BLOB NOT NULL CHECK (length(session_id) = 16),
    -- No foreign key: history outlives its connection. Null for a run on an unsaved one.
    connection_id BLOB,
    -- What the connection was called then.
    connection_name TEXT,
    driver_type TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    -- Empty: none.
    error_code TEXT NOT NULL,
    -- The length of all that was run; what is kept of it may be less.
    text_bytes INTEGER NOT NULL,
    is_sealed INTEGER NOT NULL CHECK (is_sealed IN (0, 1)),
    -- What was run. Null: it is not kept.
    text BLOB,
    CHECK (is_sealed = 0 OR text IS NOT NULL)
) STRICT;
INSERT INTO run (number, id, owner, session_id, connection_id, connection_name, driver_type, started_us, duration_ns,
                 row_count, byte_count, outcome, error_code, text_bytes, is_sealed)
SELECT number, randomblob(16), 'local', session_id, connection_id,
       (SELECT name FROM connection WHERE connection.id = old_run.connection_id), driver_type, started_us, duration_ns,
       row_count, byte_count, outcome, '', 0, 0
FROM old_run;
DROP TABLE old_run;

CREATE INDEX run_by_time ON run (owner, started_us, number);
CREATE INDEX run_by_connection ON run (owner, connection_id, started_us, number);
CREATE INDEX run_by_age ON run (started_us);
