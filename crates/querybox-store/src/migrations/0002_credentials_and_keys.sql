-- Secrets at rest. What is sealed can be opened with a master key only, which is never here.

-- 'shared' or 'each-user'.
ALTER TABLE connection ADD COLUMN secret_scope TEXT NOT NULL DEFAULT 'shared';

CREATE TABLE master_key (
    -- Random, made with this record: a key itself is nothing but 32 random bytes.
    id BLOB PRIMARY KEY CHECK (length(id) = 8),
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    -- Derived from the key and the salt; tells the right key from a wrong one, and nothing else about it.
    check_value BLOB NOT NULL CHECK (length(check_value) = 32),
    -- 'primary', 'decrypt-only' or 'retired'.
    state TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    -- When a rotation had seen each credential open without this key. Null again with the next one sealed under it.
    emptied_us INTEGER,
    retired_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_primary ON master_key (state) WHERE state = 'primary';

CREATE TABLE credential (
    connection_id BLOB NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    -- Empty: shared by all who may use the connection.
    owner TEXT NOT NULL,
    -- The secret field of the driver's form.
    field TEXT NOT NULL,
    -- Where it lies: here, sealed under a key, or in an entry of the operating system's keyring.
    sealed BLOB,
    key_id BLOB REFERENCES master_key (id),
    -- Random, made for one secret. No entry is ever written over.
    keyring_entry BLOB UNIQUE CHECK (length(keyring_entry) = 16),
    created_us INTEGER NOT NULL,
    -- When the secret was set last.
    updated_us INTEGER NOT NULL,
    last_access_us INTEGER,
    -- When it was sealed under another key, or moved to another place, last.
    last_rotated_us INTEGER,
    PRIMARY KEY (connection_id, owner, field),
    CHECK ((sealed IS NULL) = (key_id IS NULL)),
    CHECK ((sealed IS NULL) <> (keyring_entry IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX credential_key ON credential (key_id);

-- Entries of the operating system's keyring that no credential names (yet, or any more). Written before an entry is made and
-- with the removal of its credential, so that none is forgotten when a program dies, or the keyring is away.
CREATE TABLE keyring_leftover (
    entry BLOB PRIMARY KEY CHECK (length(entry) = 16),
    -- When it was about to be made. Null: it is to be removed, and no credential will ever name it.
    planned_us INTEGER
) STRICT, WITHOUT ROWID;
