//! What was changed, cut or moved does not open.

use proptest::prelude::*;
use querybox_vault::{
    KeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, OpenError, Place, Secret, sealed_key_id,
};

const PLACE: Place<'static> = Place { store: "store-1", owner: "ada", connection: "shop", field: "password" };

fn keyset() -> Keyset {
    let key = MasterKey::make();
    let record = KeyRecord::make(&key);
    Keyset::assemble(MasterKeys::from(key), &[(record, KeyUse::Needed)]).unwrap()
}

fn secret() -> Secret {
    Secret::from("correct horse battery staple".to_owned())
}

/// What `open` may say of bytes that were changed: never anything of the secret, and never that it opened.
fn refusal(keyset: &Keyset, place: &Place<'_>, blob: &[u8]) -> OpenError {
    keyset.open(place, blob).map(|_| "opened").expect_err("a changed blob opens")
}

#[test]
fn each_bit_counts() {
    let keyset = keyset();
    let blob = keyset.seal(&PLACE, &secret()).into_bytes();
    for at in 0..blob.len() {
        for bit in 0..8 {
            let mut changed = blob.clone();
            changed[at] ^= 1 << bit;
            let error = refusal(&keyset, &PLACE, &changed);
            match at {
                3 => assert_eq!(error, OpenError::UnknownVersion { version: changed[3] }),
                4..12 => assert_eq!(error, OpenError::UnknownKey { id: sealed_key_id(&changed).unwrap() }),
                _ => assert_eq!(error, OpenError::DidNotOpen, "byte {at}, bit {bit}"),
            }
        }
    }
    assert!(keyset.open(&PLACE, &blob).unwrap().is_same(&secret()));
}

#[test]
fn no_part_opens_and_nothing_may_follow() {
    let keyset = keyset();
    let blob = keyset.seal(&PLACE, &secret()).into_bytes();
    for length in 0..blob.len() {
        assert_eq!(refusal(&keyset, &PLACE, &blob[..length]), OpenError::DidNotOpen, "{length} bytes");
        assert_eq!(refusal(&keyset, &PLACE, &blob[length + 1..]), OpenError::DidNotOpen, "from {length}");
    }
    let mut longer = blob;
    longer.push(0);
    assert_eq!(refusal(&keyset, &PLACE, &longer), OpenError::DidNotOpen);
}

#[test]
fn an_empty_secret_is_as_well_sealed_as_any() {
    let keyset = keyset();
    let blob = keyset.seal(&PLACE, &Secret::new(Vec::new())).into_bytes();
    assert_eq!(keyset.open(&PLACE, &blob).unwrap().expose(), b"");
    for at in 12..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert_eq!(refusal(&keyset, &PLACE, &changed), OpenError::DidNotOpen);
    }
}

#[test]
fn each_move_is_refused() {
    let keyset = keyset();
    let blob = keyset.seal(&PLACE, &secret()).into_bytes();
    for moved in [
        Place { store: "store-2", ..PLACE },
        Place { owner: "", ..PLACE },
        Place { owner: "grace", ..PLACE },
        Place { connection: "shop2", ..PLACE },
        Place { connection: "", ..PLACE },
        Place { field: "client_key", ..PLACE },
        Place { owner: "adas", connection: "hop", ..PLACE },
        Place { owner: "shop", connection: "ada", ..PLACE },
    ] {
        assert_eq!(refusal(&keyset, &moved, &blob), OpenError::DidNotOpen, "{moved:?}");
        assert_eq!(keyset.reseal(&moved, &blob), Err(OpenError::DidNotOpen));
    }
}

#[test]
fn parts_of_two_blobs_make_no_third() {
    let keyset = keyset();
    let (one, two) =
        (keyset.seal(&PLACE, &secret()).into_bytes(), keyset.seal(&PLACE, &secret()).into_bytes());
    // After the key id, where both are the same.
    for cut in 13..one.len() {
        let mixed = [&one[..cut], &two[cut..]].concat();
        if mixed == one || mixed == two {
            // By chance they have the byte in common that was exchanged.
            continue;
        }
        assert_eq!(refusal(&keyset, &PLACE, &mixed), OpenError::DidNotOpen, "cut at {cut}");
    }
}

#[test]
fn another_version_is_told_and_not_tried() {
    let keyset = keyset();
    let mut blob = keyset.seal(&PLACE, &secret()).into_bytes();
    for version in [0, 2, 255] {
        blob[3] = version;
        assert_eq!(refusal(&keyset, &PLACE, &blob), OpenError::UnknownVersion { version });
    }
}

#[test]
fn two_seals_of_one_secret_share_nothing() {
    const WINDOW: usize = 8;
    let keyset = keyset();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        let blob = keyset.seal(&PLACE, &secret()).into_bytes();
        assert_eq!(blob.len(), 104 + secret().expose().len());
        // Behind magic, version and key id, which are the same by design.
        for window in blob[12..].windows(WINDOW) {
            assert!(seen.insert(<[u8; WINDOW]>::try_from(window).unwrap()), "eight bytes were seen before");
        }
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens_in_its_place(
        secret in prop::collection::vec(any::<u8>(), 0..4096),
        (store, owner, connection, field) in any::<(String, String, String, String)>(),
    ) {
        let keyset = keyset();
        let place = Place { store: &store, owner: &owner, connection: &connection, field: &field };
        let blob = keyset.seal(&place, &Secret::new(secret.clone())).into_bytes();
        let opened = keyset.open(&place, &blob).unwrap();
        prop_assert_eq!(opened.expose(), &secret[..]);
        if secret.len() >= 8 {
            prop_assert!(!blob.windows(secret.len()).any(|window| window == &secret[..]));
        }
        let again = keyset.reseal(&place, &blob).unwrap();
        prop_assert!(keyset.open(&place, again.as_bytes()).unwrap().is_same(&opened));
    }

    #[test]
    fn no_bytes_panic(blob in prop::collection::vec(any::<u8>(), 0..300), version in 0..3_u8, known in any::<bool>()) {
        let keyset = keyset();
        let mut begun = b"QBX".to_vec();
        begun.push(version);
        if known {
            begun.extend_from_slice(keyset.primary().as_bytes());
        }
        begun.extend_from_slice(&blob);
        prop_assert!(keyset.open(&PLACE, &begun).is_err());
        prop_assert!(keyset.open(&PLACE, &blob).is_err());
        prop_assert!(sealed_key_id(&blob).is_none());
    }
}
