//! What the shop sells: a tree of categories and the products in its leaves.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use super::amount::Cents;
use super::calendar::Calendar;
use super::image::bitmap;
use super::random::Random;

/// A leaf of the category tree with what is found in it.
struct Shelf {
    /// The way from the root, parted by `/`.
    path: &'static str,
    /// The start of the article numbers.
    code: &'static str,
    nouns: &'static [&'static str],
    /// In whole units of money.
    price: (u32, u32),
    /// In grams; none for what is not shipped.
    weight: Option<(u32, u32)>,
    tags: &'static [&'static str],
}

/// A product, as far as orders and events need to know.
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) sku: String,
    pub(super) price: Cents,
}

/// The shop's own lines of products; none of them is a brand.
const LINES: [&str; 50] = [
    "Halden", "Miro", "Oda", "Tindra", "Brisk", "Lumo", "Farn", "Koto", "Selva", "Piet", "Nord", "Juno",
    "Alma", "Rook", "Vesper", "Tamsin", "Orla", "Bram", "Sule", "Quill", "Pebble", "Marl", "Fenna", "Ivo",
    "Thistle", "Dune", "Cobalt", "Ember", "Lark", "Moss", "Saffron", "Hearth", "Drift", "Wren", "Aster",
    "Clove", "Sorrel", "Birch", "Zephyr", "Opal", "Rune", "Tansy", "Gale", "Indigo", "Plum", "Zoé", "Löwe",
    "Peña", "Åland", "Œillet",
];

const VARIANTS: [&str; 8] = ["", "", "", " No. 2", " Classic", " (set of 2)", " “Limited”", " 1½"];

/// Products of a shelf for each of its nouns.
const PRODUCTS_A_NOUN: usize = 10;

/// Fills `categories` and `products`; the answer is ordered by id.
pub(super) fn insert(transaction: &Transaction<'_>, calendar: &Calendar) -> rusqlite::Result<Vec<Product>> {
    let leaves = insert_categories(transaction)?;
    let mut random = Random::for_purpose("products");
    let mut statement = transaction.prepare(
        "INSERT INTO products (id, category_id, sku, name, price, weight, stock, tags, image, discontinued, added_on)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut products: Vec<Product> = Vec::new();
    for shelf in SHELVES {
        let category = leaves[shelf.path];
        for noun in shelf.nouns {
            let first_line = random.below(50) as usize;
            for line in 0..PRODUCTS_A_NOUN {
                let id = i64::try_from(products.len()).expect("the catalog is small") + 1;
                // Seven and fifty share no factor: a noun meets each line at most once, so names differ.
                let line = LINES[(first_line + line * 7) % LINES.len()];
                let discontinued = random.chance(8);
                let product = Product {
                    id,
                    sku: format!("{}-{id:05}", shelf.code),
                    price: draw_price(&mut random, shelf.price),
                };
                statement.execute(params![
                    id,
                    category,
                    product.sku,
                    format!("{line} {noun}{}", random.pick(&VARIANTS)),
                    product.price,
                    shelf.weight.map(|(low, high)| f64::from(random.between(low, high) / 5 * 5) / 1000.0),
                    if discontinued || random.chance(6) { 0 } else { random.between(1, 900) },
                    draw_tags(&mut random, shelf.tags),
                    random.chance(15).then(|| draw_image(&mut random)),
                    discontinued,
                    calendar.date(calendar.draw_before_orders(&mut random)),
                ])?;
                products.push(product);
            }
        }
    }
    Ok(products)
}

/// The ids of the leaves by their path.
fn insert_categories(transaction: &Transaction<'_>) -> rusqlite::Result<BTreeMap<&'static str, i64>> {
    let mut statement =
        transaction.prepare("INSERT INTO categories (id, parent_id, name, slug) VALUES (?, ?, ?, ?)")?;
    let mut ids: BTreeMap<&str, i64> = BTreeMap::new();
    for shelf in SHELVES {
        let ends = shelf.path.match_indices('/').map(|(end, _)| end).chain([shelf.path.len()]);
        let mut parent = None;
        for end in ends {
            let path = &shelf.path[..end];
            let next_id = i64::try_from(ids.len()).expect("the tree is small") + 1;
            let id = *ids.entry(path).or_insert(next_id);
            if id == next_id {
                let name = path.rsplit('/').next().unwrap_or(path);
                let slug = path.to_lowercase().replace(" & ", "-").replace(' ', "-");
                statement.execute(params![id, parent, name, slug])?;
            }
            parent = Some(id);
        }
    }
    Ok(ids)
}

/// A price as shops make them: mostly one cent below something round.
fn draw_price(random: &mut Random, (low, high): (u32, u32)) -> Cents {
    let endings = [(50, 99), (15, 95), (15, 49), (10, 90), (10, 0)];
    // Cheap things are common, expensive ones exist.
    let whole = low + random.lowest_of(4, high - low);
    Cents(i64::from(whole) * 100 + random.pick_weighted(&endings))
}

fn draw_tags(random: &mut Random, tags: &[&str]) -> String {
    let count = random.between(0, 3) as usize;
    let first = random.below(u32::try_from(tags.len()).expect("a shelf has few tags")) as usize;
    let chosen: Vec<String> =
        (0..count.min(tags.len())).map(|i| format!("\"{}\"", tags[(first + i) % tags.len()])).collect();
    format!("[{}]", chosen.join(","))
}

fn draw_image(random: &mut Random) -> Vec<u8> {
    let mut color = || [0; 3].map(|_: u8| random.next().to_le_bytes()[0]);
    bitmap(color(), color())
}

const SHELVES: &[Shelf] = &[
    Shelf {
        path: "Home & Garden/Kitchen/Cookware",
        code: "KIT-COO",
        nouns: &["saucepan", "frying pan", "casserole", "wok", "kettle"],
        price: (19, 189),
        weight: Some((400, 4200)),
        tags: &["induction", "oven-proof", "cast iron", "gift"],
    },
    Shelf {
        path: "Home & Garden/Kitchen/Tableware",
        code: "KIT-TAB",
        nouns: &["plate", "bowl", "mug", "jug", "teapot"],
        price: (6, 79),
        weight: Some((150, 1400)),
        tags: &["stoneware", "hand-made", "dishwasher-safe"],
    },
    Shelf {
        path: "Home & Garden/Kitchen/Knives & Boards",
        code: "KIT-KNI",
        nouns: &["bread knife", "chef's knife", "cutting board", "peeler"],
        price: (9, 149),
        weight: Some((80, 2600)),
        tags: &["steel", "oak", "left-handed"],
    },
    Shelf {
        path: "Home & Garden/Garden/Tools",
        code: "GAR-TOO",
        nouns: &["spade", "rake", "pruning shears", "watering can", "wheelbarrow"],
        price: (12, 219),
        weight: Some((300, 14_000)),
        tags: &["ash wood", "rust-free", "10-year warranty"],
    },
    Shelf {
        path: "Home & Garden/Garden/Seeds",
        code: "GAR-SEE",
        nouns: &["tomato seeds", "sunflower seeds", "wild flower mix", "basil seeds"],
        price: (2, 9),
        weight: Some((10, 60)),
        tags: &["organic", "heirloom", "bees love it"],
    },
    Shelf {
        path: "Home & Garden/Furniture",
        code: "HOM-FUR",
        nouns: &["chair", "desk", "bookshelf", "floor lamp", "stool"],
        price: (49, 1290),
        weight: Some((2000, 48_000)),
        tags: &["solid wood", "flat-packed", "bulky"],
    },
    Shelf {
        path: "Home & Garden/Textiles",
        code: "HOM-TEX",
        nouns: &["blanket", "cushion", "curtain", "bath towel"],
        price: (14, 199),
        weight: Some((200, 2800)),
        tags: &["linen", "wool", "cotton", "60 °C"],
    },
    Shelf {
        path: "Books/Novels",
        code: "BOO-NOV",
        nouns: &["mystery", "romance", "family saga", "space opera", "short stories"],
        price: (8, 29),
        weight: Some((180, 900)),
        tags: &["hardcover", "paperback", "signed"],
    },
    Shelf {
        path: "Books/Children",
        code: "BOO-CHI",
        nouns: &["picture book", "pop-up book", "reader", "coloring book"],
        price: (5, 25),
        weight: Some((120, 800)),
        tags: &["3+", "6+", "9+"],
    },
    Shelf {
        path: "Books/Digital",
        code: "BOO-DIG",
        nouns: &["e-book", "audio book", "language course"],
        price: (4, 49),
        weight: None,
        tags: &["download", "DRM-free"],
    },
    Shelf {
        path: "Electronics/Sound/Headphones",
        code: "ELE-HEA",
        nouns: &["headphones", "earbuds", "headset"],
        price: (25, 399),
        weight: Some((40, 420)),
        tags: &["wireless", "noise cancelling", "USB-C"],
    },
    Shelf {
        path: "Electronics/Sound/Speakers",
        code: "ELE-SPE",
        nouns: &["speaker", "soundbar", "turntable"],
        price: (39, 890),
        weight: Some((500, 12_000)),
        tags: &["wireless", "hi-fi", "220 V"],
    },
    Shelf {
        path: "Electronics/Computing",
        code: "ELE-COM",
        nouns: &["keyboard", "mouse", "monitor", "docking station", "webcam", "USB hub"],
        price: (15, 749),
        weight: Some((60, 7500)),
        tags: &["USB-C", "ISO layout", "refurbished"],
    },
    Shelf {
        path: "Electronics/Lighting",
        code: "ELE-LIG",
        nouns: &["desk lamp", "fairy lights", "bulb", "night light"],
        price: (5, 159),
        weight: Some((50, 2400)),
        tags: &["LED", "dimmable", "E27"],
    },
    Shelf {
        path: "Fashion/Women",
        code: "FAS-WOM",
        nouns: &["dress", "cardigan", "jeans", "raincoat", "scarf"],
        price: (19, 259),
        weight: Some((120, 1600)),
        tags: &["wool", "organic cotton", "made to order"],
    },
    Shelf {
        path: "Fashion/Men",
        code: "FAS-MEN",
        nouns: &["shirt", "pullover", "chinos", "parka", "tie"],
        price: (19, 279),
        weight: Some((60, 1800)),
        tags: &["slim", "organic cotton", "non-iron"],
    },
    Shelf {
        path: "Fashion/Shoes",
        code: "FAS-SHO",
        nouns: &["sneakers", "boots", "sandals", "slippers"],
        price: (25, 229),
        weight: Some((350, 1900)),
        tags: &["leather", "vegan", "wide fit"],
    },
    Shelf {
        path: "Toys & Games/Board Games",
        code: "TOY-BOA",
        nouns: &["strategy game", "card game", "dice game", "puzzle"],
        price: (9, 89),
        weight: Some((150, 3100)),
        tags: &["2 players", "2–4 players", "party"],
    },
    Shelf {
        path: "Toys & Games/Wooden Toys",
        code: "TOY-WOO",
        nouns: &["train set", "building blocks", "pull-along duck"],
        price: (12, 129),
        weight: Some((200, 3800)),
        tags: &["beech", "1+", "3+"],
    },
    Shelf {
        path: "Food/Coffee & Tea",
        code: "FOO-COF",
        nouns: &["espresso beans", "filter coffee", "green tea", "rooibos"],
        price: (4, 39),
        weight: Some((100, 1000)),
        tags: &["fair trade", "organic", "decaf"],
    },
    Shelf {
        path: "Food/Sweets",
        code: "FOO-SWE",
        nouns: &["dark chocolate", "marzipan", "shortbread", "licorice"],
        price: (2, 29),
        weight: Some((80, 750)),
        tags: &["vegan", "may contain nuts", "gift"],
    },
    Shelf {
        path: "Outdoor/Camping",
        code: "OUT-CAM",
        nouns: &["tent", "sleeping bag", "camping stove", "head torch"],
        price: (15, 649),
        weight: Some((90, 6800)),
        tags: &["3 seasons", "ultralight", "waterproof"],
    },
    Shelf {
        path: "Outdoor/Cycling",
        code: "OUT-CYC",
        nouns: &["pannier", "bike light", "helmet", "pump", "repair kit"],
        price: (9, 179),
        weight: Some((60, 1900)),
        tags: &["waterproof", "reflective", "tubeless"],
    },
    Shelf {
        path: "Gift Cards",
        code: "GIF-CAR",
        nouns: &["gift card"],
        price: (10, 250),
        weight: None,
        tags: &["by e-mail", "no expiry"],
    },
    Shelf {
        path: "Office/Paper",
        code: "OFF-PAP",
        nouns: &["notebook", "sketchbook", "envelope set", "calendar", "sticky notes"],
        price: (2, 45),
        weight: Some((40, 1300)),
        tags: &["recycled", "dotted", "A5", "A4"],
    },
    Shelf {
        path: "Office/Writing",
        code: "OFF-WRI",
        nouns: &["fountain pen", "pencil set", "ink", "marker"],
        price: (2, 199),
        weight: Some((15, 480)),
        tags: &["refillable", "left-handed", "gift"],
    },
    Shelf {
        path: "Pets",
        code: "PET-ALL",
        nouns: &["dog bed", "cat tree", "bird feeder", "aquarium", "leash"],
        price: (6, 329),
        weight: Some((80, 22_000)),
        tags: &["washable", "sisal", "bulky"],
    },
];
