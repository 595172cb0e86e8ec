//! Where a sealed secret belongs.

/// Where a sealed secret belongs: it opens there and nowhere else.
///
/// The parts are ids as text, exactly as the store has them. They are authenticated, not hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The store that keeps it: random, made once with the store.
    pub store: &'a str,
    /// Whose it is; empty for one that all users of the connection share.
    pub owner: &'a str,
    /// The connection that it opens.
    pub connection: &'a str,
    /// The name of the field of the connection's form.
    pub field: &'a str,
}

/// What makes these bytes differ from all others that we may ever authenticate.
const DOMAIN: &[u8] = b"querybox credential";

impl Place<'_> {
    /// What a blob authenticates: domain, store, owner, connection, field, version and key id, each with its length before it
    /// (8 bytes, the highest first), so that no two places give the same bytes.
    pub(crate) fn derive_authenticated(&self, version: u8, key: &[u8]) -> Vec<u8> {
        let parts: [&[u8]; 7] = [
            DOMAIN,
            self.store.as_bytes(),
            self.owner.as_bytes(),
            self.connection.as_bytes(),
            self.field.as_bytes(),
            &[version],
            key,
        ];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifted_parts_are_another_place() {
        let place = Place { store: "s", owner: "ab", connection: "c", field: "f" };
        let shifted = Place { owner: "a", connection: "bc", ..place };
        assert_ne!(place.derive_authenticated(1, b"key id 1"), shifted.derive_authenticated(1, b"key id 1"));
    }
}
