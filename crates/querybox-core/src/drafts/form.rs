//! Drafts as bytes, for the store, which does not read them. Each begins with its version.

use querybox_store::ConnectionId;
use uuid::Uuid;

use super::{DraftContent, DraftKind};

const VERSION: u8 = 1;

/// What a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(super) kind: DraftKind,
    pub(super) connection: Option<ConnectionId>,
    pub(super) text_bytes: u64,
    pub(super) title: String,
}

/// Version, kind, connection (all zeros: none), bytes of the text, title.
pub(super) fn write_head(head: &Head) -> Vec<u8> {
    let kind = match head.kind {
        DraftKind::Editor => 1,
        DraftKind::Layout => 2,
    };
    let connection = head.connection.map_or(Uuid::nil(), |id| *id.as_uuid());
    [[VERSION, kind].as_slice(), connection.as_bytes(), &head.text_bytes.to_be_bytes(), head.title.as_bytes()]
        .concat()
}

pub(super) fn read_head(bytes: &[u8]) -> Option<Head> {
    let ([VERSION, kind], rest) = bytes.split_first_chunk()? else { return None };
    let kind = match kind {
        1 => DraftKind::Editor,
        2 => DraftKind::Layout,
        _ => return None,
    };
    let (connection, rest) = rest.split_first_chunk()?;
    let connection = Uuid::from_bytes(*connection);
    let (text_bytes, title) = rest.split_first_chunk()?;
    Some(Head {
        kind,
        connection: (!connection.is_nil()).then(|| ConnectionId::from(connection)),
        text_bytes: u64::from_be_bytes(*text_bytes),
        title: std::str::from_utf8(title).ok()?.to_owned(),
    })
}

/// Version, bytes of the text, text, state.
pub(super) fn write_body(content: &DraftContent) -> Vec<u8> {
    let length = content.text.len() as u64;
    [[VERSION].as_slice(), &length.to_be_bytes(), content.text.as_bytes(), &content.state].concat()
}

pub(super) fn read_body(bytes: Vec<u8>) -> Option<(String, Vec<u8>)> {
    let ([VERSION], rest) = bytes.split_first_chunk()? else { return None };
    let (length, rest) = rest.split_first_chunk()?;
    let (text, state) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    Some((std::str::from_utf8(text).ok()?.to_owned(), state.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> DraftContent {
        DraftContent {
            kind: DraftKind::Editor,
            title: "Bestände".to_owned(),
            connection: Some(ConnectionId::from(Uuid::from_u128(7))),
            text: "select '🐘'".to_owned(),
            state: vec![0, 255],
        }
    }

    #[test]
    fn a_draft_comes_back_as_it_went() {
        let content = content();
        assert_eq!(read_head(&write_head(&content.head())).unwrap(), content.head());
        assert_eq!(read_body(write_body(&content)).unwrap(), (content.text, content.state));
        let layout = DraftContent {
            kind: DraftKind::Layout,
            title: String::new(),
            connection: None,
            text: String::new(),
            state: Vec::new(),
        };
        assert_eq!(read_head(&write_head(&layout.head())).unwrap(), layout.head());
        assert_eq!(read_body(write_body(&layout)).unwrap(), (String::new(), Vec::new()));
    }

    #[test]
    fn bytes_that_are_none_are_refused_and_never_a_panic() {
        let (head, body) = (write_head(&content().head()), write_body(&content()));
        for length in 0..26 {
            assert!(read_head(&head[..length]).is_none(), "{length}");
        }
        for length in 0..9 + content().text.len() {
            assert!(read_body(body[..length].to_vec()).is_none(), "{length}");
        }
        assert!(read_head(&[&[9], &head[1..]].concat()).is_none());
        assert!(read_body([&[9], &body[1..]].concat()).is_none());
        assert!(read_head(&[&head[..], &[0xff]].concat()).is_none());
    }
}
