//! The orders with their items and payments. The amounts add up to the cent.

use rusqlite::{Statement, Transaction, params};

use super::amount::Cents;
use super::calendar::{Calendar, Moment};
use super::catalog::Product;
use super::customers::Customer;
use super::random::Random;

const COUNT: usize = 25_000;
/// The most lines of an order.
const LINES_MAX: usize = 8;

/// An order, as far as events need to know.
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) customer: i64,
    pub(super) placed_at: Moment,
    pub(super) lines: usize,
    pub(super) total: Cents,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
    Returned,
}

impl Status {
    /// What has become of an order after so many days.
    fn draw(random: &mut Random, age_in_days: u32) -> Self {
        let by_age: &[(u32, Self)] = match age_in_days {
            0..=2 => &[(45, Self::Placed), (50, Self::Paid), (5, Self::Cancelled)],
            3..=9 => &[(10, Self::Placed), (20, Self::Paid), (65, Self::Shipped), (5, Self::Cancelled)],
            _ => &[(91, Self::Delivered), (5, Self::Cancelled), (4, Self::Returned)],
        };
        *random.pick_weighted(by_age)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    fn has_left_the_house(self) -> bool {
        matches!(self, Self::Shipped | Self::Delivered | Self::Returned)
    }
}

/// Fills `orders`, `order_items` and `payments`; the answer is ordered by time.
///
/// `customers` is ordered by the time of sign-up.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    calendar: &Calendar,
    customers: &[Customer],
    products: &[Product],
) -> rusqlite::Result<Vec<Order>> {
    let mut random = Random::for_purpose("orders");
    let mut moments: Vec<Moment> = (0..COUNT).map(|_| calendar.draw_order(&mut random)).collect();
    moments.sort_unstable();

    let mut add_order = transaction.prepare(
        "INSERT INTO orders (id, customer_id, status, placed_at, shipped_at, shipping_address, total)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut add_item = transaction.prepare(
        "INSERT INTO order_items (order_id, product_id, quantity, unit_price, discount) VALUES (?, ?, ?, ?, ?)",
    )?;
    let mut payments = Payments {
        add: transaction.prepare(
            "INSERT INTO payments (order_id, method, amount, paid_at, reference) VALUES (?, ?, ?, ?, ?)",
        )?,
        random: Random::for_purpose("payments"),
        calendar,
    };

    let mut orders = Vec::with_capacity(COUNT);
    for (id, placed_at) in (1..).zip(moments) {
        // Early customers order most: they had the time to become regulars.
        let known = customers.partition_point(|customer| customer.created_at < placed_at);
        let customer = &customers[random.low_index(known)];
        let items = draw_items(&mut random, products);
        let total = Cents(items.iter().map(Item::cents).sum());
        let status = Status::draw(&mut random, Calendar::age_in_days(placed_at));
        let shipped_at =
            status.has_left_the_house().then(|| placed_at.plus_minutes(random.between(600, 5_000)));
        let elsewhere = random.chance(7).then(|| customer.place.draw_address(&mut random));
        add_order.execute(params![
            id,
            customer.id,
            status.name(),
            calendar.text(placed_at),
            shipped_at.map(|moment| calendar.text(moment)),
            elsewhere.as_ref().unwrap_or(&customer.address),
            total,
        ])?;
        for item in &items {
            let discount = (item.discount > 0).then_some(Cents(item.discount));
            add_item.execute(params![id, item.product, item.quantity, item.unit_price, discount])?;
        }
        payments.insert(id, status, placed_at, total)?;
        orders.push(Order { id, customer: customer.id, placed_at, lines: items.len(), total });
    }
    Ok(orders)
}

/// A line of an order.
struct Item {
    product: i64,
    quantity: u32,
    unit_price: Cents,
    /// In cents, on the whole line; zero for none.
    discount: i64,
}

impl Item {
    fn cents(&self) -> i64 {
        i64::from(self.quantity) * self.unit_price.0 - self.discount
    }
}

/// At least one line; no product twice; ordered by product.
fn draw_items(random: &mut Random, products: &[Product]) -> Vec<Item> {
    let lines = *random.pick_weighted(&[(33, 1), (27, 2), (17, 3), (11, 4), (7, 5), (5, LINES_MAX)]);
    // Popular products are not the first of the catalog: a step that shares no factor with its size spreads them.
    let mut indexes: Vec<usize> =
        (0..lines).map(|_| random.low_index(products.len()) * 467 % products.len()).collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes
        .into_iter()
        .map(|index| {
            let product = &products[index];
            let quantity = *random.pick_weighted(&[(72, 1), (17, 2), (6, 3), (3, 4), (2, 6)]);
            let percent_off = *random.pick_weighted(&[(86, 0), (7, 10), (5, 20), (2, 50)]);
            let discount = i64::from(quantity) * product.price.0 * percent_off / 100;
            Item { product: product.id, quantity, unit_price: product.price, discount }
        })
        .collect()
}

/// Writes what was paid for each order, and given back.
struct Payments<'a> {
    add: Statement<'a>,
    random: Random,
    calendar: &'a Calendar,
}

impl Payments<'_> {
    fn insert(
        &mut self,
        order: i64,
        status: Status,
        placed_at: Moment,
        total: Cents,
    ) -> rusqlite::Result<()> {
        let soon = placed_at.plus_minutes(self.random.between(1, 90));
        match status {
            // An invoice is out; its money is not in.
            Status::Placed if self.random.chance(60) => self.add(order, "invoice", total, None),
            Status::Placed => Ok(()),
            Status::Cancelled if self.random.chance(60) => Ok(()),
            Status::Paid | Status::Shipped | Status::Delivered => self.pay(order, soon, total).map(|_| ()),
            Status::Cancelled | Status::Returned => {
                let method = self.pay(order, soon, total)?;
                let later = soon.plus_minutes(self.random.between(1_500, 30_000));
                self.add(order, method, Cents(-total.0), Some(later))
            }
        }
    }

    /// Pays all of it, now and then partly by gift card; says how the main part was paid.
    fn pay(&mut self, order: i64, at: Moment, total: Cents) -> rusqlite::Result<&'static str> {
        let methods = [(46, "card"), (27, "wallet"), (17, "bank transfer"), (10, "invoice")];
        let method = *self.random.pick_weighted(&methods);
        let by_gift_card = if total.0 > 5_000 && self.random.chance(5) { Cents(2_500) } else { Cents(0) };
        if by_gift_card.0 > 0 {
            self.add(order, "gift card", by_gift_card, Some(at))?;
        }
        let slowly = if method == "bank transfer" { self.random.between(600, 4_000) } else { 0 };
        self.add(order, method, Cents(total.0 - by_gift_card.0), Some(at.plus_minutes(slowly)))?;
        Ok(method)
    }

    fn add(&mut self, order: i64, method: &str, amount: Cents, at: Option<Moment>) -> rusqlite::Result<()> {
        let at = at.map(|moment| self.calendar.text(moment));
        let reference = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        self.add.execute(params![order, method, amount, at, reference.to_string()])?;
        Ok(())
    }
}
