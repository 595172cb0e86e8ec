//! Bending cases: bits, numbers, lengths, texts, order, pieces, the user's habits.

use crate::{
    case::{Case, Sent},
    random::Random,
};

/// What a server of a case sends at most, so that a meeting stays short.
const BYTES_MAX: usize = 48 * 1024;
/// How often a case is bent at once.
const BENDS_MAX: usize = 6;

/// Numbers at which something often ends.
const NUMBERS: [i32; 15] =
    [0, 1, -1, -2, 2, 3, 4, 127, 255, 256, 0x7fff, 0xffff, i32::MAX, i32::MIN, 0x4000_0000];
const BYTES: [u8; 10] = [0, 1, b'\n', b' ', b'"', b'0', 0x7f, 0x80, 0xc3, 0xff];
/// The tags that a server has, with some that it has not.
const TAGS: &[u8] = b"123ACDEGHIKNRSTVWZcdnstv?x\0\xff";
/// Statements that make the driver take another way.
const SCRIPTS: [&str; 16] = [
    "select 1",
    "",
    ";;",
    "select 1; select 2; selekt",
    "begin; select 1; commit",
    "commit",
    "rollback",
    "insert into t values (1) returning *",
    "copy t to stdout",
    "copy t from stdin",
    "copy (insert into t values (1) returning *) to stdout",
    "fetch all from c",
    "set client_encoding to latin1",
    "select $1, $2",
    "reset all; discard all",
    "\\d",
];

/// A case that differs from its origin, with something of `other` in it at times.
#[must_use]
pub fn bend(origin: &Case, other: &Case, random: &mut Random) -> Case {
    let mut case = origin.clone();
    for _ in 0..=random.below(BENDS_MAX) {
        bend_once(&mut case, other, random);
    }
    while case.size() > BYTES_MAX && !case.sent.is_empty() {
        case.sent.remove(random.below(case.sent.len()));
    }
    case
}

fn bend_once(case: &mut Case, other: &Case, random: &mut Random) {
    let places = case.sent.len();
    let at = random.below(places);
    match random.below(20) {
        0..=9 if places > 0 => bend_body(&mut case.sent[at], random),
        10 if places > 0 => {
            let twin = case.sent[at].clone();
            let times = random.of(&[1, 1, 1, 2, 40]);
            case.sent.splice(at..at, std::iter::repeat_n(twin, times));
        }
        11 if places > 0 => {
            case.sent.remove(at);
        }
        12 if places > 0 => case.sent.swap(at, random.below(places)),
        13 if places > 0 => lie(&mut case.sent[at], random),
        14 if places > 0 => {
            if let Sent::Message { tag, .. } = &mut case.sent[at] {
                *tag = random.of(TAGS);
            }
        }
        15 => case.sent.insert(at, made_up(random)),
        16 => {
            // The end of another.
            let from = random.below(other.sent.len());
            case.sent.truncate(at);
            case.sent.extend_from_slice(&other.sent[from.min(other.sent.len())..]);
        }
        17 => {
            // A part of another.
            let from = random.below(other.sent.len());
            let to = (from + 1 + random.below(4)).min(other.sent.len());
            case.sent.splice(at..at, other.sent[from.min(to)..to].iter().cloned());
        }
        18 => case.pieces = if random.once_in(2) { 0 } else { random.number() >> 32 },
        _ => bend_user(case, random),
    }
}

/// A message that was not there, and fits nowhere.
fn made_up(random: &mut Random) -> Sent {
    match random.below(8) {
        0 => Sent::Raw((0..random.below(12)).map(|_| random.byte()).collect()),
        1 => Sent::Challenge { iterations: random.of(&[0, 1, 4096, 100_001, u32::MAX]) },
        2 => Sent::Proof,
        _ => {
            let body = (0..random.below(24)).map(|_| random.of(&BYTES)).collect();
            Sent::Message { tag: random.of(TAGS), body, lie: None }
        }
    }
}

fn lie(sent: &mut Sent, random: &mut Random) {
    let Sent::Message { body, lie, .. } = sent else { return };
    let honest = i32::try_from(body.len() + 4).unwrap_or(i32::MAX);
    *lie = match random.below(4) {
        0 => None,
        1 => Some(honest + random.of(&[-1, 1, -4, 4])),
        2 => Some(random.of(&[70_000, 1_100_000, 70_000_000, 1 << 30])),
        _ => Some(random.of(&NUMBERS)),
    };
}

fn bend_body(sent: &mut Sent, random: &mut Random) {
    let body = match sent {
        Sent::Message { body, .. } | Sent::Raw(body) => body,
        Sent::Challenge { iterations } => {
            *iterations = random.of(&[0, 1, 4096, 100_000, 100_001, u32::MAX]);
            return;
        }
        Sent::Proof => return,
    };
    let at = random.below(body.len());
    match random.below(8) {
        0 if !body.is_empty() => body[at] ^= 1 << random.below(8),
        1 if !body.is_empty() => body[at] = random.of(&BYTES),
        2 if !body.is_empty() => body[at] = random.byte(),
        3 if body.len() >= 2 => {
            let at = random.below(body.len() - 1);
            // The low half: counts and codes have two bytes.
            let [_, _, high, low] = random.of(&NUMBERS).to_be_bytes();
            body[at..at + 2].copy_from_slice(&[high, low]);
        }
        4 if body.len() >= 4 => {
            let at = random.below(body.len() - 3);
            let before = i32::from_be_bytes(body[at..at + 4].try_into().expect("four bytes"));
            let number = match random.below(3) {
                0 => before.wrapping_add(random.of(&[-1, 1, 2, -4, 16])),
                _ => random.of(&NUMBERS),
            };
            body[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        5 => body.truncate(at),
        6 => {
            let piece: Vec<u8> = match body.get(at..) {
                Some(rest) if !rest.is_empty() && random.once_in(2) => {
                    rest[..1 + random.below(rest.len().min(64))].to_vec()
                }
                _ => (0..1 + random.below(8)).map(|_| random.byte()).collect(),
            };
            let times = random.of(&[1, 1, 1, 50]);
            let piece = piece.repeat(times);
            body.splice(at..at, piece);
        }
        _ if !body.is_empty() => {
            let end = (at + 1 + random.below(16)).min(body.len());
            body.drain(at..end);
        }
        _ => body.push(random.byte()),
    }
}

fn bend_user(case: &mut Case, random: &mut Random) {
    let user = &mut case.user;
    match random.below(13) {
        0 => user.read_only ^= true,
        1 => user.single_transaction ^= true,
        2 => user.one_shot ^= true,
        3 => user.goes_on ^= true,
        4 => user.rows_max = random.of(&[None, Some(1), Some(2), Some(1000)]),
        5 => user.bytes_max = random.of(&[None, Some(1), Some(1000)]),
        6 => user.values = random.of(&[0, 0, 1, 2]),
        7 => user.cancels_after = random.of(&[None, None, Some(0), Some(1), Some(3)]),
        8 => user.leaves_after = random.of(&[None, None, Some(1), Some(2), Some(5)]),
        9 => user.gives_data ^= true,
        11 => user.column_facts ^= true,
        10 => user.scripts.push(random.of(&SCRIPTS).to_owned()),
        _ => {
            let script = random.of(&SCRIPTS).to_owned();
            user.scripts = vec![script];
        }
    }
    user.scripts.truncate(4);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::User;

    #[test]
    fn a_seed_brings_the_same_case_back_and_no_case_grows_without_end() {
        let origin = Case {
            user: User { scripts: vec!["select 1".into()], ..User::default() },
            sent: vec![Sent::Message { tag: b'R', body: vec![0; 4], lie: None }, Sent::Proof],
            pieces: 0,
        };
        let bent = |seed| {
            let mut random = Random::new(seed);
            let mut case = origin.clone();
            for _ in 0..300 {
                case = bend(&case, &origin, &mut random);
                assert!(case.size() <= BYTES_MAX);
            }
            case
        };
        assert_eq!(bent(1), bent(1));
        assert_ne!(bent(1), bent(2));
        let empty = Case { user: User::default(), sent: Vec::new(), pieces: 0 };
        let mut random = Random::new(3);
        for _ in 0..300 {
            let case = bend(&empty, &empty, &mut random);
            assert_eq!(case.to_string().parse::<Case>().unwrap(), case);
        }
    }
}
