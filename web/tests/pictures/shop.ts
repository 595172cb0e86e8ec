import type { House } from "../flows/house.ts";
import type { Postgres } from "../flows/postgres.ts";

/** The newest orders, which are those that a picture shows. */
const NEWEST: readonly (readonly [number, string, string, string, string, string, string, string | null])[] = [
  [48210771, "SO-118204", "Mara Lindqvist", "paid", "284.90", "EUR", "14:07:33", null],
  [48210768, "SO-118203", "Tomás Echeverría", "paid", "59.00", "EUR", "14:05:12", "HELLO10"],
  [48210764, "SO-118202", "Agnieszka Wróbel", "packed", "1127.40", "EUR", "14:01:58", null],
  [48210759, "SO-118201", "Ifeoma Nwachukwu", "paid", "148.50", "EUR", "13:58:04", null],
  [48210755, "SO-118200", "Nguyễn Thị Hạnh", "paid", "34.95", "EUR", "13:55:41", null],
  [48210750, "SO-118199", "Jonas Baumgärtner", "packed", "412.00", "EUR", "13:49:27", "AUTUMN"],
  [48210746, "SO-118198", "Priya Raghunathan", "paid", "96.20", "EUR", "13:46:09", null],
  [48210741, "SO-118197", "Élodie Marchetti", "packed", "2318.75", "EUR", "13:40:50", null],
  [48210738, "SO-118196", "Samuel Okonkwo", "paid", "19.90", "EUR", "13:38:16", ""],
  [48210733, "SO-118195", "Hanna Virtanen", "paid", "640.00", "EUR", "13:31:02", null],
  [48210729, "SO-118194", "Deniz Yıldırım", "paid", "3899.00", "TRY", "13:27:45", "HELLO10"],
  [48210724, "SO-118193", "Caroline Whitlock", "packed", "207.35", "GBP", "13:22:18", null],
  [48210720, "SO-118192", "Mateus Figueiredo", "paid", "72.10", "EUR", "13:19:33", null],
  [48210717, "SO-118191", "Sigrún Einarsdóttir", "paid", "94210.00", "ISK", "13:15:59", null],
  [48210711, "SO-118190", "Owen Gallagher", "packed", "131.00", "EUR", "13:08:21", "AUTUMN"],
  [48210706, "SO-118189", "Lucía Fernández Rey", "paid", "45.50", "EUR", "13:04:47", null],
  [48210702, "SO-118188", "Petr Doležal", "paid", "5140.00", "CZK", "12:59:13", null],
  [48210698, "SO-118187", "Noor van den Berg", "packed", "188.80", "EUR", "12:56:30", null],
  [48210693, "SO-118186", "Arjun Mehta", "paid", "873.65", "GBP", "12:51:08", null],
  [48210689, "SO-118185", "Klara Szabó", "paid", "11990.00", "HUF", "12:47:55", ""],
];

const SHIPPING = `{"carrier": "InPost", "service": "locker-24h", "parcels": 2, "weight_kg": 7.450, "insured": true, "to": {"locker": "WRO14M", "city": "Wrocław", "country": "PL"}, "tracking": null}`;

const LETTER = [
  "Dear Hannah, happy birthday from all of us in the Porto office! We hope the kettle arrives in one piece this time.",
  "The blue one is for you, the small one is for Olavi. He asked for it in March and has not stopped asking since, so please let him open it first.",
  "There is a card inside the larger box, under the paper. Marta drew the cover, Rui wrote the poem, and everybody signed it, even the people from the warehouse who say that they never sign anything.",
  "If the lid is scratched again, keep the box and write to us with order SO-118199, and we will send another the same day. No need to return it.",
].join("\n\n");

const literal = (text: string | null) => (text === null ? "null" : `'${text.replaceAll("'", "''")}'`);

/** The tables of the shop, in any database. */
function tables(): string {
  const customers = NEWEST.map(([, , name], index) => `(${index + 1}, ${literal(name)})`);
  const orders = NEWEST.map(
    ([id, number, , status, total, currency, at, coupon], index) =>
      `(${id}, '${number}', ${index + 1}, '${status}', ${total}, '${currency}', '2025-11-20 ${at}+00', ${literal(coupon)}, '${SHIPPING}')`,
  );
  const small = ["addresses", "carts", "coupons", "payments", "products", "refunds"].map(
    (name, index) => `create table ${name} (id int8 primary key, note text); insert into ${name} select i, 'n' from generate_series(1, ${(index + 1) * 312}) i;`,
  );
  const audit = ["logins", "exports", "export_jobs", "grants", "imports", "reviews"].map((name) => `create table audit.${name} (id int8 primary key, at timestamptz);`);
  return `
    create type order_status as enum ('placed', 'paid', 'packed', 'shipped', 'delivered', 'returned');
    create table customers (id int8 primary key, name text not null, email text);
    insert into customers values ${customers.map((row) => row.replace(")", ", null)")).join()};
    insert into customers select i, 'Customer ' || i, 'customer' || i || '@example.com' from generate_series(21, 4800) i;
    create table orders (id int8 primary key, number text not null, customer_id int8 not null references customers, status order_status not null,
      total numeric(12,2) not null, currency char(3) not null, placed_at timestamptz(0) not null, coupon text, shipping jsonb);
    insert into orders values ${orders.join()};
    insert into orders select 48210689 - i * 4, 'SO-' || 118184 - i, 1 + i % 4800, (enum_range(null::order_status))[1 + i % 6], (i * 7919 % 90000) / 100.0,
      'EUR', timestamptz '2025-11-20 12:44:00+00' - i * interval '47 s', case when i % 9 = 0 then 'HELLO10' end, '{"carrier": "DHL", "parcels": 1}'
      from generate_series(1, 36000) i;
    create table order_items (order_id int8 not null references orders, line int not null, product_id int8 not null, quantity int not null, price numeric(12,2) not null, primary key (order_id, line));
    insert into order_items select id, 1, id % 800, 1, total from orders;
    create table order_events (id int8 primary key, kind text not null, at timestamptz(2) not null);
    insert into order_events select 9000000 + i, (array['cart.updated', 'order.paid', 'order.placed', 'cart.created'])[1 + i % 4], timestamptz '2025-03-01 00:00:00+00' + i * interval '0.61 s'
      from generate_series(1, 120000) i;
    create view exchange_rates as select 'EUR'::char(3) as currency, 1.0000000000::numeric(18,10) as rate;
    create function order_total(id int8) returns numeric language sql as 'select total from orders o where o.id = $1';
    ${small.join("\n")}
    create view expiring_coupons as select * from coupons;
    create schema audit; ${audit.join(" ")}
    analyze;`;
}

/** Orders with values of every kind; its text is in no encoding, as in databases that are older than Unicode. */
function cells(): string {
  const notes = [
    "'Thank you for your patience'", "null", `${literal(LETTER)} || repeat(E'\\nOne more thing, because Rui insists: the poem is longer than it looks.', 245)`, "''",
    "E'Se\\xf1or Pe\\xf1a, segundo piso'", "null", "'Leave with the neighbour at 14b'", "''", "null", "'Ring twice. The bell on the left is broken. ' || repeat('The stairs are steep. ', 96)",
    "'Til hamingju með afmælið!'", "null", "'No gift wrap, please'", "null", "E'Kl\\xe1ra'", "null", "''", "null", "'Ref. PO 4471-B'", "null", "null",
    "'For the flat above the bakery: the gate code changes. ' || repeat('Ask for Odile. ', 310)", "'Merci !'", "null", "null", "''", "'Gate 3, ask for Yusuf'", "null",
  ];
  const carriers = ["Royal Mail", "DHL", "DHL", "Evri", "SEUR", "", "Posti", "Yurtiçi", "Royal Mail", "CTT", "Pósturinn", "", "GLS", "Zásilkovna"];
  return `
    create table orders (id int8 primary key, gift_note text, paid bool not null, shipping jsonb, placed_at timestamptz not null, total numeric(12,2) not null, fx_rate numeric(18,10) not null, label_pdf bytea);
    insert into orders select 48210763 - i * 4 - i % 3, (array[${notes.join()}])[1 + (i - 1) % ${notes.length}], i % 5 <> 4,
      case when i % 14 = 6 then '{}' when i % 14 = 12 then null else jsonb_build_object('carrier', (array[${carriers.map(literal).join()}])[1 + (i - 1) % 14], 'parcels', 1 + i % 4) end,
      timestamptz '2025-11-20 14:00:00.771302+00' - i * interval '197.331 s', (array[148.50, 34.95, 412.00, 96.20, 2318.75, 19.90, 640.00, 3899.00, 207.35, 72.10, 1204.80, 131.00])[1 + (i - 1) % 12] + i % 97,
      (array[1, 1, 1, 0.8347, 1, 1, 1, 0.02041357])[1 + (i - 1) % 8], case when i % 4 <> 0 then decode('255044462d312e37', 'hex') || decode(repeat('00ff', 19000 + i % 900), 'hex') end
      from generate_series(1, 408) i;
    analyze;`;
}

/** Fills a PostgreSQL with the shop, and saves what leads to it. */
export function openShop(house: House, postgres: Postgres): void {
  postgres.psql("create database orders");
  postgres.psql("create database legacy encoding SQL_ASCII lc_collate 'C' lc_ctype 'C' template template0");
  postgres.psql(tables(), "orders");
  postgres.psql(cells(), "legacy");
  // Production is read by a role that can do no more: a superuser has no read-only connection.
  postgres.psql(`create role report_ro login password ${literal(postgres.password)}; grant usage on schema audit to report_ro; grant pg_read_all_data to report_ro`, "orders");
  const add = (name: string, user: string, database: string, ...more: readonly string[]) => {
    const url = `postgresql://${user}@127.0.0.1:${postgres.port}/${database}`;
    house.command(["connections", "add", name, url, "--keep", "vault", "--password-stdin", ...more], `${postgres.password}\n`);
  };
  add("prod-orders", "report_ro", "orders", "--color", "red", "--read-only", "--deadline", "5m");
  add("staging-orders", "postgres", "legacy", "--color", "amber");
  add("dev", "postgres", "orders", "--color", "green", "--max-rows", "100000");
}
