CREATE INDEX categories_by_parent ON categories (parent_id);
CREATE INDEX products_by_category ON products (category_id);
CREATE INDEX customers_by_country ON customers (country, name);
CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX orders_open ON orders (placed_at) WHERE status IN ('placed', 'paid');
CREATE INDEX order_items_by_product ON order_items (product_id);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE UNIQUE INDEX payments_by_reference ON payments (reference);
CREATE INDEX events_by_customer ON events (customer_id, at);
CREATE INDEX events_by_kind ON events (kind, at);

CREATE VIEW order_totals AS
SELECT o.id AS order_id,
       o.status,
       count(i.product_id) AS lines,
       sum(i.quantity) AS units,
       round(sum(i.quantity * i.unit_price - coalesce(i.discount, 0)), 2) AS items_total,
       o.total
FROM orders o
LEFT JOIN order_items i ON i.order_id = o.id
GROUP BY o.id;

CREATE VIEW top_customers AS
SELECT c.id AS customer_id,
       c.name,
       c.country,
       count(*) AS orders,
       round(sum(o.total), 2) AS spent,
       max(o.placed_at) AS last_order_at
FROM customers c
JOIN orders o ON o.customer_id = c.id
WHERE o.status NOT IN ('cancelled', 'returned')
GROUP BY c.id
ORDER BY spent DESC, c.id
LIMIT 100;

CREATE TRIGGER orders_status_changed AFTER UPDATE OF status ON orders WHEN old.status <> new.status
BEGIN
    INSERT INTO events (customer_id, kind, at, payload)
    VALUES (new.customer_id, 'order status', strftime('%Y-%m-%d %H:%M:%f', 'now'),
            json_object('order', new.id, 'from', old.status, 'to', new.status));
END;
