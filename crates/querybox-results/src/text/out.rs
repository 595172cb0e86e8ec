//! Where text goes: to a string where it stays, or to the bytes of a document, which need not be checked to be text again.

/// Takes text.
pub(crate) trait Out {
    fn push_str(&mut self, text: &str);

    /// Takes text of ASCII alone.
    fn push_ascii(&mut self, text: &[u8]);

    /// The bytes so far.
    fn bytes(&self) -> &[u8];

    /// Puts a character of ASCII between others.
    fn insert_ascii(&mut self, at: usize, character: u8);
}

impl Out for String {
    fn push_str(&mut self, text: &str) {
        String::push_str(self, text);
    }

    fn push_ascii(&mut self, text: &[u8]) {
        String::push_str(self, str::from_utf8(text).expect("ASCII is UTF-8"));
    }

    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn insert_ascii(&mut self, at: usize, character: u8) {
        self.insert(at, char::from(character));
    }
}

impl Out for Vec<u8> {
    fn push_str(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }

    fn push_ascii(&mut self, text: &[u8]) {
        self.extend_from_slice(text);
    }

    fn bytes(&self) -> &[u8] {
        self
    }

    fn insert_ascii(&mut self, at: usize, character: u8) {
        self.insert(at, character);
    }
}
