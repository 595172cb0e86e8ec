//! Known answers. They were made once, by another implementation of the format; a change that breaks one breaks the blobs of
//! every store.

use serde_json::Value;

use super::*;
use crate::{KeyRecord, KeyUse, Keyset, MasterKeys};

/// The vectors' keys are published, and so refused as examples: this is the way around that, for tests alone.
fn key(vector: &Value) -> MasterKey {
    MasterKey::unchecked(bytes(&vector["master_key"]))
}

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
    unhex(hex).try_into().unwrap()
}

fn unhex(hex: &Value) -> Vec<u8> {
    let (pairs, []) = hex.as_str().unwrap().as_bytes().as_chunks::<2>() else { panic!("odd: {hex}") };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn vectors(text: &str) -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(vectors.len() > 1);
    vectors
}

fn place(vector: &Value) -> Place<'_> {
    let text = |name: &str| vector[name].as_str().unwrap();
    Place { store: text("store"), owner: text("owner"), connection: text("connection"), field: text("field") }
}

#[test]
fn blobs_of_version_1_are_made_and_opened_as_ever() {
    for vector in vectors(include_str!("../../tests/vectors/seal-v1.json")) {
        let id = KeyId::from_bytes(bytes(&vector["key_id"]));
        let secret = Secret::new(unhex(&vector["secret"]));
        let randomness = Randomness { salt: bytes(&vector["salt"]), nonce: bytes(&vector["nonce"]) };
        let blob = unhex(&vector["blob"]);
        let sealed = seal(&key(&vector), id, &place(&vector), &secret, &randomness);
        assert_eq!(sealed.as_bytes(), blob, "{}", vector["name"]);
        assert_eq!(sealed_key_id(&blob), Some(id));
        let opened = open_v1(&key(&vector), id, &place(&vector), &blob).unwrap();
        assert!(opened.is_same(&secret), "{}", vector["name"]);
    }
}

#[test]
fn keys_are_known_again_as_ever() {
    let vectors = vectors(include_str!("../../tests/vectors/key-check-v1.json"));
    for vector in &vectors {
        let record = KeyRecord {
            id: KeyId::from_bytes(bytes(&vector["key_id"])),
            salt: bytes(&vector["salt"]),
            check: bytes(&vector["check"]),
        };
        for other in &vectors {
            assert_eq!(record.is_of(&key(other)), other["master_key"] == vector["master_key"]);
        }
    }
}

#[test]
fn a_blob_under_another_key_fails_at_the_commitment_already() {
    let (one, two) = (MasterKey::make(), MasterKey::make());
    let place = Place { store: "s", owner: "o", connection: "c", field: "f" };
    let id = KeyRecord::make(&one).id;
    let blob = seal(&one, id, &place, &Secret::from("x".to_owned()), &Randomness::make());
    let salt = part::<SALT_BYTES>(blob.as_bytes(), SALT_AT).unwrap();
    let committed = part::<COMMITMENT_BYTES>(blob.as_bytes(), COMMITMENT_AT).unwrap();
    assert_eq!(OneUse::derive(&one, salt).commitment(), committed);
    assert_ne!(OneUse::derive(&two, salt).commitment(), committed);
    assert!(open_v1(&two, id, &place, blob.as_bytes()).is_none());
}

#[test]
fn what_is_not_the_newest_version_is_not_current() {
    let key = MasterKey::make();
    let record = KeyRecord::make(&key);
    let keyset = Keyset::assemble(MasterKeys::from(key), &[(record, KeyUse::Free)]).unwrap();
    let place = Place { store: "s", owner: "o", connection: "c", field: "f" };
    let blob = keyset.seal(&place, &Secret::from("x".to_owned()));
    assert!(keyset.is_current(blob.as_bytes()));
    let mut newer = blob.into_bytes();
    newer[3] = 2;
    assert!(!keyset.is_current(&newer));
    assert_eq!(sealed_key_id(&newer), None);
}
