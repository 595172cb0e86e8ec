//! Drafts.

use querybox_contracts::core::v1 as pb;
use querybox_core::{
    DRAFT_STATE_BYTES_MAX, DRAFT_TEXT_BYTES_MAX, DRAFT_TITLE_CHARS_MAX, Draft, DraftContent, DraftHead,
    DraftId, DraftIdError, DraftKind, DraftListing, TextKeeping,
};

use super::{InvalidField, time::timestamp};

pub(crate) fn draft_id(text: &str) -> Result<DraftId, InvalidField> {
    text.parse().map_err(|error: DraftIdError| InvalidField::new("draft_id", error.to_string()))
}

pub(crate) fn draft_content(message: Option<pb::DraftContent>) -> Result<DraftContent, InvalidField> {
    let Some(message) = message else { return Err(InvalidField::missing("content")) };
    let kind = match message.kind() {
        pb::DraftKind::Unspecified => return Err(InvalidField::missing("content.kind")),
        pb::DraftKind::Editor => DraftKind::Editor,
        pb::DraftKind::Layout => DraftKind::Layout,
    };
    let pb::DraftContent { title, connection_id: connection, text, state, .. } = message;
    if title.chars().count() > DRAFT_TITLE_CHARS_MAX {
        let problem = format!("is longer than {DRAFT_TITLE_CHARS_MAX} characters");
        return Err(InvalidField::new("content.title", problem));
    }
    for (field, length, max) in [
        ("content.text", text.len(), DRAFT_TEXT_BYTES_MAX),
        ("content.state", state.len(), DRAFT_STATE_BYTES_MAX),
    ] {
        if length > max {
            return Err(InvalidField::new(field, format!("is longer than {max} bytes")));
        }
    }
    let connection = match connection.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| {
            InvalidField::new("content.connection_id", "is not a UUID in canonical text form")
        })?),
    };
    Ok(DraftContent { kind, title, connection, text, state: state.into() })
}

pub(crate) fn drafts_message(listing: DraftListing) -> pb::ListDraftsResponse {
    let DraftListing { drafts, unreadable, keeping } = listing;
    pb::ListDraftsResponse {
        drafts: drafts.into_iter().map(draft_head_message).collect(),
        unreadable_count: u32::try_from(unreadable).unwrap_or(u32::MAX),
        keeping: keeping_message(keeping).into(),
    }
}

pub(crate) fn keeping_message(keeping: TextKeeping) -> pb::TextKeeping {
    match keeping {
        TextKeeping::Sealed => pb::TextKeeping::Sealed,
        TextKeeping::Memory => pb::TextKeeping::Memory,
        TextKeeping::Plain => pb::TextKeeping::Plain,
    }
}

pub(crate) fn draft_head_message(head: DraftHead) -> pb::DraftHead {
    let DraftHead { id, revision, kind, title, connection, text_bytes, updated } = head;
    pb::DraftHead {
        draft_id: id.to_string(),
        revision,
        kind: kind_message(kind).into(),
        title,
        connection_id: connection.map(|id| id.to_string()).unwrap_or_default(),
        text_bytes,
        updated: Some(timestamp(updated)),
    }
}

pub(crate) fn draft_message(draft: Draft) -> pb::Draft {
    let Draft { id, revision, content, updated } = draft;
    let DraftContent { kind, title, connection, text, state } = content;
    pb::Draft {
        draft_id: id.to_string(),
        revision,
        content: Some(pb::DraftContent {
            kind: kind_message(kind).into(),
            title,
            connection_id: connection.map(|id| id.to_string()).unwrap_or_default(),
            text,
            state: state.into(),
        }),
        updated: Some(timestamp(updated)),
    }
}

pub(crate) fn conflict_message(present: Option<Draft>) -> pb::DraftConflict {
    pb::DraftConflict { present: present.map(draft_message) }
}

fn kind_message(kind: DraftKind) -> pb::DraftKind {
    match kind {
        DraftKind::Editor => pb::DraftKind::Editor,
        DraftKind::Layout => pb::DraftKind::Layout,
    }
}
