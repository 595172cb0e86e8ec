//! What visitors did: the largest table, with a small JSON document a row.

use rusqlite::{Transaction, params};

use super::calendar::{Calendar, Moment};
use super::catalog::Product;
use super::customers::Customer;
use super::orders::Order;
use super::random::Random;

/// Visits besides the orders, each of which is an event too.
const VISITS: usize = 59_000;

const SEARCHES: [&str; 14] = [
    "blue mug",
    "kettle 1½ l",
    "chef's knife",
    "\"exact phrase\"",
    "Größe 42",
    "café",
    "подарунок",
    "הדרכה",
    "هدية",
    "茶壶",
    "クリスマス 🎄",
    "선물",
    "back\\slash",
    "100% wool",
];

const DEVICES: [(u32, &str); 4] = [(52, "phone"), (36, "desktop"), (10, "tablet"), (2, "game console")];

/// Fills `events`, in the order of time.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    calendar: &Calendar,
    customers: &[Customer],
    products: &[Product],
    orders: &[Order],
) -> rusqlite::Result<()> {
    let mut random = Random::for_purpose("events");
    let mut moments: Vec<(Moment, u32, Option<&Order>)> =
        (0..VISITS).map(|_| (calendar.draw_visit(&mut random), random.below(1_000), None)).collect();
    moments.extend(orders.iter().map(|order| (order.placed_at, random.below(1_000), Some(order))));
    moments.sort_by_key(|(moment, millis, _)| (*moment, *millis));

    let mut statement = transaction
        .prepare("INSERT INTO events (id, customer_id, kind, at, payload) VALUES (?, ?, ?, ?, ?)")?;
    for (id, (moment, millis, order)) in (1_i64..).zip(moments) {
        let (customer, kind, payload) = match order {
            Some(order) => (Some(order.customer), "order placed", order_placed(order)),
            None => {
                let known = customers.partition_point(|customer| customer.created_at < moment);
                let signed_in = known > 0 && random.chance(62);
                let customer = signed_in.then(|| customers[random.low_index(known)].id);
                let (kind, payload) = draw_visit(&mut random, products, signed_in);
                (customer, kind, payload)
            }
        };
        statement.execute(params![
            id,
            customer,
            kind,
            format!("{}.{millis:03}", calendar.text(moment)),
            payload
        ])?;
    }
    Ok(())
}

fn order_placed(order: &Order) -> String {
    format!(r#"{{"order":{},"lines":{},"total":{}}}"#, order.id, order.lines, order.total)
}

fn draw_visit(random: &mut Random, products: &[Product], signed_in: bool) -> (&'static str, String) {
    let kinds = [
        (42, "product viewed"),
        (20, "searched"),
        (17, "cart filled"),
        (if signed_in { 12 } else { 0 }, "signed in"),
        (4, "sign-in failed"),
        (5, "page left"),
    ];
    let kind = *random.pick_weighted(&kinds);
    let device = random.pick_weighted(&DEVICES);
    let product = &products[random.low_index(products.len())];
    let payload = match kind {
        "product viewed" => format!(
            r#"{{"sku":"{}","seconds":{}.{},"device":"{device}"}}"#,
            product.sku,
            random.between(1, 240),
            random.below(10),
        ),
        "searched" => {
            let words = serde_json::json!(random.pick(&SEARCHES));
            format!(r#"{{"query":{words},"hits":{},"device":"{device}"}}"#, random.low_index(300))
        }
        "cart filled" => format!(
            r#"{{"items":[{{"sku":"{}","quantity":{},"price":{}}}],"device":"{device}"}}"#,
            product.sku,
            random.between(1, 3),
            product.price,
        ),
        "signed in" => format!(r#"{{"device":"{device}","remember":{}}}"#, random.chance(70)),
        "sign-in failed" => {
            format!(r#"{{"device":"{device}","attempt":{},"locked":false}}"#, random.between(1, 4))
        }
        _ => format!(r#"{{"device":"{device}","scrolled":0.{:02},"cart":null}}"#, random.between(1, 99)),
    };
    (kind, payload)
}
