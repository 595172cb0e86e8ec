//! The customers: who they are and what they like.

use std::collections::HashMap;

use rusqlite::{Transaction, params};

use super::calendar::{Calendar, Moment};
use super::people::{PLACES, Place};
use super::random::Random;

const COUNT: usize = 5_000;

const DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];

/// Notes as staff would leave them, with what makes texts hard to show: quotes, breaks, tabs, joined and combined signs.
const NOTES: [&str; 12] = [
    "Prefers delivery after 18:00.",
    "Called about an invoice.\nWants it in English.",
    "Says \"never again\" each time, and comes back.",
    "Gift wrapping, always 🎁",
    "Ring twice; the dog is friendly 🐕‍🦺",
    "Écrit son prénom avec un e\u{301} combiné.",
    "Size:\tM\nShoe:\t42½",
    "It's the 2nd floor, not the 1st; 50% of parcels went wrong",
    "Wholesale? <ask sales@example.com>",
    "NULL",
    "  leading and trailing spaces  ",
    "A long story, in short: the first parcel went to the neighbor, the second came back, the third was signed for by \
     someone the customer does not know, and the fourth, sent with a note on the box, has been arriving at the right door \
     ever since. Please keep the note on the box.",
];

/// A customer, as far as other tables need to know.
pub(super) struct Customer {
    pub(super) id: i64,
    pub(super) place: &'static Place,
    pub(super) created_at: Moment,
    pub(super) address: String,
}

/// Fills `customers`; the answer is ordered by the time of sign-up, oldest first.
pub(super) fn insert(transaction: &Transaction<'_>, calendar: &Calendar) -> rusqlite::Result<Vec<Customer>> {
    let mut random = Random::for_purpose("customers");
    let mut moments: Vec<Moment> = (0..COUNT).map(|_| calendar.draw_visit(&mut random)).collect();
    moments.sort_unstable();

    let mut statement = transaction.prepare(
        "INSERT INTO customers (id, name, email, country, birthday, created_at, notes, preferences)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut mailboxes = HashMap::new();
    let mut customers = Vec::with_capacity(COUNT);
    for (id, created_at) in (1..).zip(moments) {
        let place = random.pick_weighted(PLACES);
        let person = place.draw_person(&mut random);
        let namesakes: &mut u32 = mailboxes.entry(person.mailbox.clone()).or_default();
        *namesakes += 1;
        let number = if *namesakes == 1 { String::new() } else { namesakes.to_string() };
        let email = format!("{}{number}@{}", person.mailbox, random.pick(&DOMAINS));
        let note = random.chance(12).then(|| *random.pick(&NOTES));
        statement.execute(params![
            id,
            person.name,
            email,
            place.country,
            draw_birthday(&mut random),
            calendar.text(created_at),
            note,
            draw_preferences(&mut random, place.language),
        ])?;
        customers.push(Customer { id, place, created_at, address: place.draw_address(&mut random) });
    }
    Ok(customers)
}

/// A third of the people does not tell.
fn draw_birthday(random: &mut Random) -> Option<String> {
    if random.chance(33) {
        return None;
    }
    // The 29th of February exists in leap years only; nobody here is born after the 28th of it.
    let month = random.between(1, 12);
    let last_day = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Some(format!("{}-{month:02}-{:02}", random.between(1938, 2007), random.between(1, last_day)))
}

fn draw_preferences(random: &mut Random, language: &str) -> String {
    const TOPICS: [&str; 6] = ["garden", "books", "cooking", "toys", "sound", "travel"];
    let mut text = format!(r#"{{"language":"{language}","newsletter":{}"#, random.chance(40));
    if random.chance(30) {
        text.push_str(r#","theme":"dark""#);
    }
    if random.chance(25) {
        let shoe = random.between(70, 94);
        text.push_str(&format!(r#","sizes":{{"shirt":"{}","shoe":"#, random.pick(&["S", "M", "L", "XL"])));
        text.push_str(&format!("{}.{}}}", shoe / 2, shoe % 2 * 5));
    }
    if random.chance(35) {
        let first = random.below(5) as usize;
        text.push_str(&format!(r#","topics":["{}","{}"]"#, TOPICS[first], TOPICS[first + 1]));
    }
    if random.chance(5) {
        text.push_str(r#","referred_by":null"#);
    }
    text.push('}');
    text
}
