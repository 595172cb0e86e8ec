//! Keys of a source and records of a store: which fit.

use querybox_vault::{
    KeyId, KeyRecord, KeyUse, Keyset, KeysetError, MasterKey, MasterKeys, OpenError, Place, Secret,
    sealed_key_id,
};

const PLACE: Place<'static> = Place { store: "s", owner: "", connection: "c", field: "password" };

/// A key, as its source has it, and its record.
struct Known {
    text: String,
    record: KeyRecord,
}

impl Known {
    fn make() -> Known {
        let key = MasterKey::make();
        Known { text: key.to_text().expose_text().unwrap().to_owned(), record: KeyRecord::make(&key) }
    }

    fn id(&self) -> KeyId {
        self.record.id
    }

    fn used(&self, key_use: KeyUse) -> (KeyRecord, KeyUse) {
        (self.record.clone(), key_use)
    }
}

fn source(keys: &[&Known]) -> MasterKeys {
    let lines: Vec<&str> = keys.iter().map(|known| known.text.as_str()).collect();
    MasterKeys::parse(&Secret::from(lines.join("\n"))).unwrap()
}

fn assemble(keys: &[&Known], records: &[(KeyRecord, KeyUse)]) -> Result<Keyset, KeysetError> {
    Keyset::assemble(source(keys), records)
}

#[test]
fn the_first_key_of_the_source_is_the_primary() {
    let (old, new) = (Known::make(), Known::make());
    let records = [old.used(KeyUse::Needed), new.used(KeyUse::Free)];
    let keyset = assemble(&[&new, &old], &records).unwrap();
    assert_eq!(keyset.primary(), new.id());
    assert_eq!(keyset.ids().collect::<Vec<_>>(), [new.id(), old.id()]);
    assert_eq!(sealed_key_id(keyset.seal(&PLACE, &Secret::from("x".to_owned())).as_bytes()), Some(new.id()));
}

#[test]
fn a_rotation_goes_from_key_to_key_and_every_secret_opens_meanwhile() {
    let (old, new) = (Known::make(), Known::make());
    let before = assemble(&[&old], &[old.used(KeyUse::Needed)]).unwrap();
    let blob = before.seal(&PLACE, &Secret::from("sesame".to_owned())).into_bytes();

    let during = assemble(&[&new, &old], &[old.used(KeyUse::Needed), new.used(KeyUse::Free)]).unwrap();
    assert!(!during.is_current(&blob));
    let moved = during.reseal(&PLACE, &blob).unwrap();
    assert!(during.is_current(moved.as_bytes()));
    for blob in [&blob[..], moved.as_bytes()] {
        assert_eq!(during.open(&PLACE, blob).unwrap().expose(), b"sesame");
    }

    // The old key may lie in the source for a while yet, and is not used.
    let records = [old.used(KeyUse::Retired), new.used(KeyUse::Needed)];
    for keys in [&[&new][..], &[&new, &old][..]] {
        let after = assemble(keys, &records).unwrap();
        assert_eq!(after.ids().collect::<Vec<_>>(), [new.id()]);
        assert_eq!(after.open(&PLACE, moved.as_bytes()).unwrap().expose(), b"sesame");
        let error = after.open(&PLACE, &blob).map(|_| "opened").unwrap_err();
        assert_eq!(error, OpenError::UnknownKey { id: old.id() });
    }
}

#[test]
fn a_wrong_key_never_makes_a_keyset() {
    let (right, wrong) = (Known::make(), Known::make());
    let records = [right.used(KeyUse::Needed)];
    let error = assemble(&[&wrong], &records).unwrap_err();
    assert_eq!(error, KeysetError::Unknown { position: 1, known: vec![right.id()] });
    assert_eq!(
        error.to_string(),
        format!("master key 1 of the source is not known to this store, which knows {}", right.id())
    );
    let error = assemble(&[&right, &wrong], &records).unwrap_err();
    assert_eq!(error, KeysetError::Unknown { position: 2, known: vec![right.id()] });
    assert_eq!(assemble(&[&right], &[]).unwrap_err(), KeysetError::NothingRegistered);
}

#[test]
fn a_key_that_is_needed_must_be_there() {
    let (old, new, free) = (Known::make(), Known::make(), Known::make());
    let records = [old.used(KeyUse::Needed), new.used(KeyUse::Needed), free.used(KeyUse::Free)];
    let error = assemble(&[&new], &records).unwrap_err();
    assert_eq!(error, KeysetError::Missing { ids: vec![old.id()] });
    assert_eq!(
        error.to_string(),
        format!("master key {} is needed, and the source does not give it", old.id())
    );
    assert!(assemble(&[&new, &old], &records).is_ok());
}

#[test]
fn a_retired_key_does_not_seal() {
    let (old, new) = (Known::make(), Known::make());
    let records = [old.used(KeyUse::Retired), new.used(KeyUse::Needed)];
    assert_eq!(assemble(&[&old, &new], &records).unwrap_err(), KeysetError::PrimaryRetired { id: old.id() });
}

#[test]
fn a_record_that_was_tampered_with_knows_no_key() {
    let known = Known::make();
    let KeyRecord { id, salt, check } = known.record.clone();
    let mut changed = [salt, check];
    changed.iter_mut().for_each(|part| part[31] ^= 1);
    let other_id = KeyId::from_bytes(id.as_bytes().map(|byte| byte ^ 1));
    for record in [
        KeyRecord { id, salt: changed[0], check },
        KeyRecord { id, salt, check: changed[1] },
        KeyRecord { id: other_id, salt, check },
    ] {
        let known_ids = vec![record.id];
        let error = assemble(&[&known], &[(record, KeyUse::Needed)]).unwrap_err();
        assert_eq!(error, KeysetError::Unknown { position: 1, known: known_ids });
    }
}
