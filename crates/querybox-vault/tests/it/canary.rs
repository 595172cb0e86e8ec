//! Whatever is printed of the vault shows neither a secret nor a key.

use std::fmt::Debug;

use querybox_vault::{
    KeyRecord, KeyUse, Keyset, MasterKey, MasterKeyError, MasterKeys, MasterKeysError, NotAKeyId, NotText,
    Place, Secret,
};

const CANARY: &str = "canary-7c1e-correct-horse";
const KEY_HEX: &str = "8f1d2c7be04a55936ac01f8e3d72b9465cf0a81be7349d60fb2285d4c96e1370";
const KEY_BASE64: &str = "jx0se+BKVZNqwB+OPXK5RlzwqBvnNJ1g+yKF1MluE3A=";

#[track_caller]
fn check(text: &str) {
    let text = text.to_lowercase();
    let as_numbers = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    let key: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&KEY_HEX[at..at + 2], 16).unwrap()).collect();
    for canary in [
        CANARY.to_owned(),
        KEY_HEX[..16].to_owned(),
        KEY_HEX[48..].to_owned(),
        KEY_BASE64[..12].to_lowercase(),
        KEY_BASE64[24..40].to_lowercase(),
        as_numbers(&CANARY.as_bytes()[..6]),
        as_numbers(&key[..4]),
        as_numbers(&key[28..]),
    ] {
        assert!(!text.contains(&canary), "shows a canary: {text}");
    }
}

#[track_caller]
fn check_debug(value: &impl Debug) {
    check(&format!("{value:?} {value:#?}"));
}

#[test]
fn values_show_nothing() {
    check_debug(&Secret::from(CANARY.to_owned()));
    let keys = || MasterKeys::parse(&Secret::from(KEY_HEX.to_owned())).unwrap();
    check_debug(&keys());
    check_debug(&MasterKey::parse(KEY_BASE64).unwrap());
    check_debug(&keys().primary().to_text());
    let record = KeyRecord::make(keys().primary());
    check_debug(&record);
    check_debug(&record.id);
    let keyset = Keyset::assemble(keys(), &[(record, KeyUse::Needed)]).unwrap();
    check_debug(&keyset);
    let place = Place { store: "s", owner: "o", connection: "c", field: "f" };
    check_debug(&place);
    let sealed = keyset.seal(&place, &Secret::from(CANARY.to_owned()));
    check_debug(&sealed);
    check(&String::from_utf8_lossy(sealed.as_bytes()));
    check_debug(&keyset.open(&place, sealed.as_bytes()));
    check_debug(&keyset.open(&Place { field: "g", ..place }, sealed.as_bytes()));
}

#[test]
fn errors_show_nothing() {
    for text in [
        CANARY,
        &KEY_HEX[..62],
        &format!("{KEY_HEX}00"),
        &KEY_HEX.replace('e', "x"),
        &format!("{KEY_BASE64}{KEY_BASE64}"),
        &KEY_BASE64[..40],
        "Y2FuYXJ5LTdjMWUtY29ycmVjdC1ob3JzZS0uLi4uLi4=",
    ] {
        let error: MasterKeyError = MasterKey::parse(text).unwrap_err();
        check(&format!("{error} {error:?}"));
        let lines = format!("{KEY_HEX}\n{text}");
        let error: MasterKeysError = MasterKeys::parse(&Secret::from(lines)).unwrap_err();
        check(&format!("{error} {error:?}"));
    }
    let twice = format!("{KEY_HEX}\n{KEY_BASE64}");
    check_debug(&MasterKeys::parse(&Secret::from(twice)));
    let key = MasterKey::parse(KEY_HEX).unwrap();
    let other = KeyRecord::make(&MasterKey::make());
    let error = Keyset::assemble(MasterKeys::from(key), &[(other, KeyUse::Needed)]).unwrap_err();
    check(&format!("{error} {error:?}"));
    check(&format!("{NotText} {NotText:?} {NotAKeyId} {NotAKeyId:?}"));
}

/// The check itself finds what it looks for.
#[test]
#[should_panic(expected = "shows a canary")]
fn a_leak_is_seen() {
    check_debug(&CANARY.as_bytes());
}
