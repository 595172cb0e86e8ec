//! Keys that are the hash of a word which anybody thinks of first.

use std::{collections::HashSet, sync::LazyLock};

use crate::primitives::{KEY_BYTES, sha256, sha512};

/// Words that stand where a key was to be put, in examples, and at the top of every list of passwords.
const WORDS: [&str; 64] = [
    "",
    "0",
    "1",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "a",
    "abc",
    "abc123",
    "admin",
    "admin123",
    "administrator",
    "changeit",
    "changeme",
    "change-me",
    "change_me",
    "correct horse battery staple",
    "database",
    "default",
    "demo",
    "development",
    "example",
    "foo",
    "foobar",
    "guest",
    "hello",
    "hello world",
    "iloveyou",
    "key",
    "letmein",
    "login",
    "master",
    "masterkey",
    "master-key",
    "master_key",
    "monkey",
    "mykey",
    "my secret key",
    "null",
    "pass",
    "passphrase",
    "passw0rd",
    "password",
    "password1",
    "password123",
    "postgres",
    "qwerty",
    "querybox",
    "querybox-master-key",
    "root",
    "secret",
    "secretkey",
    "secret-key",
    "supersecret",
    "sysadmin",
    "test",
    "test123",
    "testing",
    "welcome",
];

/// What `echo WORD | sha256sum` prints, and each half of what `sha512sum` does.
static HASHES: LazyLock<HashSet<[u8; KEY_BYTES]>> = LazyLock::new(|| {
    let hashes = |text: String| {
        let long = sha512(text.as_bytes());
        let (halves, _) = long.as_chunks();
        [sha256(text.as_bytes()), halves[0], halves[1]]
    };
    WORDS.iter().flat_map(|word| spellings(word)).flat_map(hashes).collect()
});

/// Whether a key is the hash of such a word, or half of a longer hash.
pub(super) fn is_guessable(key: &[u8; KEY_BYTES]) -> bool {
    HASHES.contains(key)
}

/// As it is, with a capital, in capitals; each also with the end of line that `echo` adds.
fn spellings(word: &str) -> impl Iterator<Item = String> {
    let mut capital = word.to_owned();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    [word.to_owned(), capital, word.to_ascii_uppercase()]
        .into_iter()
        .flat_map(|spelled| [format!("{spelled}\n"), spelled])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_first_thought_is_told() {
        for text in ["", "admin", "admin\n", "Secret", "CHANGEME\n", "my secret key", "querybox"] {
            assert!(is_guessable(&sha256(text.as_bytes())), "{text:?}");
            let long = sha512(text.as_bytes());
            for half in [&long[..KEY_BYTES], &long[KEY_BYTES..]] {
                assert!(is_guessable(half.try_into().unwrap()), "{text:?}");
            }
        }
        assert!(!is_guessable(&sha256(b"a word that nobody thinks of first")));
    }
}
