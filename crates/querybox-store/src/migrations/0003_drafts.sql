-- What people wrote. It is sealed with a key of its own, which lies here sealed under a master key; or it is in the clear,
-- where the operator says so.

CREATE TABLE text_key (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sealed BLOB NOT NULL,
    key_id BLOB NOT NULL REFERENCES master_key (id),
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE draft (
    number INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    -- Made by the front end.
    id BLOB NOT NULL CHECK (length(id) = 16),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    is_sealed INTEGER NOT NULL CHECK (is_sealed IN (0, 1)),
    -- What a list shows of it, apart, so that a list need not read and open all.
    head BLOB NOT NULL,
    body BLOB NOT NULL,
    updated_us INTEGER NOT NULL,
    UNIQUE (owner, id)
) STRICT;
