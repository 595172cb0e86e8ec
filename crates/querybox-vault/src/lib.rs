//! Secrets: what a credential is while it is in memory, and how it is kept where others may read.
//!
//! - [`Secret`]: a credential in the clear, wiped on drop.
//! - [`Token`]: a secret of our own making, which whoever has it shows again, and [`TokenHash`], by which it is known.
//! - [`MasterKeys`]: what the operator's source gives; a [`MasterKey`] that is weak cannot be had.
//! - [`KeyRecord`]: how a store knows a key again, and [`KeyId`], its name.
//! - [`Keyset`]: the keys of a source that a store knows. It seals a secret for a [`Place`], and opens it there alone.
//! - [`TextKey`]: what a store seals texts with that are no credentials.
//! - [`OsKeyring`]: the other place for a secret, which the user's desktop guards.
//! - [`EphemeralKey`]: for what a process puts on disk and nobody reads after it.
//!
//! ```
//! use querybox_vault::{KeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, Place, Secret};
//!
//! let key = MasterKey::make();
//! let record = KeyRecord::make(&key); // kept in the store
//! let keyset = Keyset::assemble(MasterKeys::from(key), &[(record, KeyUse::Free)])?;
//!
//! let place = Place { store: "s1", owner: "", connection: "c1", field: "password" };
//! let blob = keyset.seal(&place, &Secret::from("sesame".to_owned())).into_bytes();
//! assert_eq!(keyset.open(&place, &blob)?.expose(), b"sesame");
//!
//! let elsewhere = Place { connection: "c2", ..place };
//! assert!(keyset.open(&elsewhere, &blob).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Must not know: databases, rows, transports, any runtime.

mod ephemeral_key;
mod key_id;
mod key_record;
mod keyring;
mod keyset;
mod master_key;
mod master_keys;
mod place;
mod primitives;
mod sealed;
mod secret;
mod text_key;
mod token;

pub use crate::{
    ephemeral_key::{EphemeralKey, RecordChanged, RecordNumber},
    key_id::{KeyId, NotAKeyId},
    key_record::KeyRecord,
    keyring::{KeyringEntry, KeyringError, OsKeyring},
    keyset::{KeyUse, Keyset, KeysetError, OpenError},
    master_key::{MasterKey, MasterKeyError},
    master_keys::{MasterKeys, MasterKeysError},
    place::Place,
    sealed::{Sealed, sealed_key_id},
    secret::{NotText, Secret},
    text_key::TextKey,
    token::{Token, TokenHash},
};
