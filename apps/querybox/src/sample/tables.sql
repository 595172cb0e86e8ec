CREATE TABLE categories (
    id        INTEGER PRIMARY KEY,
    parent_id INTEGER REFERENCES categories (id),
    name      TEXT NOT NULL,
    slug      TEXT NOT NULL UNIQUE
);

CREATE TABLE products (
    id           INTEGER PRIMARY KEY,
    category_id  INTEGER NOT NULL REFERENCES categories (id),
    sku          VARCHAR(16) NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    price        DECIMAL(10,2) NOT NULL CHECK (price > 0),
    weight       REAL CHECK (weight > 0),  -- kilograms; NULL for what is not shipped
    stock        INTEGER NOT NULL DEFAULT 0 CHECK (stock >= 0),
    tags         JSON NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    image        BLOB,
    discontinued BOOLEAN NOT NULL DEFAULT 0 CHECK (discontinued IN (0, 1)),
    added_on     DATE NOT NULL
);

CREATE TABLE customers (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    country     CHAR(2) NOT NULL CHECK (length(country) = 2),
    birthday    DATE,
    created_at  TIMESTAMP NOT NULL,
    notes       TEXT,
    preferences JSON NOT NULL DEFAULT '{}' CHECK (json_valid(preferences))
);

CREATE TABLE orders (
    id               INTEGER PRIMARY KEY,
    customer_id      INTEGER NOT NULL REFERENCES customers (id),
    status           TEXT NOT NULL CHECK (status IN ('placed', 'paid', 'shipped', 'delivered', 'cancelled', 'returned')),
    placed_at        TIMESTAMP NOT NULL,
    shipped_at       TIMESTAMP CHECK (shipped_at > placed_at),
    shipping_address TEXT NOT NULL,
    total            DECIMAL(10,2) NOT NULL CHECK (total >= 0)
);

CREATE TABLE order_items (
    order_id   INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    unit_price DECIMAL(10,2) NOT NULL CHECK (unit_price > 0),
    discount   DECIMAL(10,2) CHECK (discount > 0 AND discount < quantity * unit_price),  -- on the whole line
    PRIMARY KEY (order_id, product_id)
) WITHOUT ROWID;

CREATE TABLE payments (
    id        INTEGER PRIMARY KEY,
    order_id  INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    method    TEXT NOT NULL CHECK (method IN ('card', 'bank transfer', 'wallet', 'invoice', 'gift card')),
    amount    DECIMAL(10,2) NOT NULL CHECK (amount <> 0),  -- below zero: money back
    paid_at   TIMESTAMP,                                   -- NULL: expected, not received
    reference UUID NOT NULL
);

CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    customer_id INTEGER REFERENCES customers (id),  -- NULL: not signed in
    kind        TEXT NOT NULL,
    at          TIMESTAMP NOT NULL,
    payload     JSON NOT NULL CHECK (json_valid(payload))
);
