//! Drafts: what people have typed and how their windows stand, kept while they type.
//!
//! A draft is changed by who has seen its last revision; whoever has not is told what is there. Where nothing can be sealed,
//! drafts live in memory until Core ends, and the page that wrote them gives them again.

mod form;
mod memory;

use std::str::FromStr;

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, DraftKey, DraftLimits, DraftRow, DraftWrite, Error as StoreError, NewDraft, Owner,
};
use uuid::Uuid;

use self::form::{Head, read_body, read_head, write_body, write_head};
pub(crate) use self::memory::MemoryDrafts;
use crate::{
    Core, ShuttingDown, TextKeeping,
    core::StoreLease,
    texts::{Keeper, TextPlace},
};

/// Bytes of a draft's text: more than this, nobody types.
pub const DRAFT_TEXT_BYTES_MAX: usize = 4 << 20;
/// Bytes of what else a front end keeps with a draft.
pub const DRAFT_STATE_BYTES_MAX: usize = 64 << 10;
/// Characters of a draft's title.
pub const DRAFT_TITLE_CHARS_MAX: usize = 200;
/// What one owner may keep.
const LIMITS: DraftLimits = DraftLimits { drafts_max: 500, bytes_max: 64 << 20 };

/// Names a draft: a UUID that its front end made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DraftId(Uuid);

/// The text names no draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a UUID in canonical text form")]
pub struct DraftIdError;

impl FromStr for DraftId {
    type Err = DraftIdError;

    fn from_str(text: &str) -> Result<Self, DraftIdError> {
        // The parser takes other spellings too, which would be second names.
        match Uuid::parse_str(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
            Ok(_) | Err(_) => Err(DraftIdError),
        }
    }
}

impl std::fmt::Display for DraftId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftKind {
    /// The text of an editor.
    Editor,
    /// How windows and tabs stand.
    Layout,
}

/// What is kept of a draft. People's words: never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftContent {
    pub kind: DraftKind,
    pub title: String,
    /// The connection that the text is for. It may be gone.
    pub connection: Option<ConnectionId>,
    pub text: String,
    /// What only its front end reads: where the cursor stands, for instance.
    pub state: Vec<u8>,
}

/// A draft without its text.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftHead {
    pub id: DraftId,
    /// Starts at 1 and grows with each change.
    pub revision: u64,
    pub kind: DraftKind,
    pub title: String,
    pub connection: Option<ConnectionId>,
    pub text_bytes: u64,
    pub updated: Timestamp,
}

/// A draft.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: DraftId,
    pub revision: u64,
    pub content: DraftContent,
    pub updated: Timestamp,
}

/// The drafts of an owner.
#[derive(Clone)]
pub struct DraftListing {
    /// The oldest first.
    pub drafts: Vec<DraftHead>,
    /// Drafts that lie in the store and cannot be opened now, for the master key is not there.
    pub unreadable: usize,
    /// How drafts that are saved now are kept.
    pub keeping: TextKeeping,
}

/// What became of a change.
pub enum DraftChange<T> {
    Done(T),
    /// It was not changed, for somebody else did. What is there now; `None`: it is gone, or was never there.
    Conflict(Option<Draft>),
}

/// Why a draft could not be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("there is no such draft")]
    NotFound,
    /// The master key is not there, or it was changed.
    #[error("the draft cannot be opened")]
    Unreadable,
    #[error("as many drafts are kept as may: {} of {} bytes in all", LIMITS.drafts_max, LIMITS.bytes_max)]
    Full,
    #[error("the store of drafts does not work")]
    Store(#[from] StoreError),
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
}

impl DraftContent {
    pub(crate) fn head(&self) -> Head {
        Head {
            kind: self.kind,
            connection: self.connection,
            text_bytes: self.text.len() as u64,
            title: self.title.clone(),
        }
    }
}

impl DraftHead {
    fn new(id: DraftId, revision: u64, head: Head, updated: Timestamp) -> Self {
        let Head { kind, connection, text_bytes, title } = head;
        Self { id, revision, kind, title, connection, text_bytes, updated }
    }
}

/// Drafts. Each is its owner's alone.
impl Core {
    /// The drafts of an owner, without their texts.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn drafts(&self, owner: &Owner) -> Result<DraftListing, DraftError> {
        let store = self.store()?;
        let keeper = self.text_keeper(&store).await?;
        let mut drafts = self.memory_drafts.heads(owner);
        let mut unreadable = 0;
        for DraftRow { id, revision, head, updated, .. } in store.drafts(owner.clone()).await? {
            let id = DraftId(id);
            if drafts.iter().any(|draft: &DraftHead| draft.id == id) {
                // What is in memory is newer.
                continue;
            }
            match keeper.read(head_place(owner, &id.to_string()), head).as_deref().and_then(read_head) {
                Some(head) => drafts.push(DraftHead::new(id, revision, head, updated)),
                None => unreadable += 1,
            }
        }
        drafts.sort_by_key(|draft| draft.updated);
        Ok(DraftListing { drafts, unreadable, keeping: keeper.how })
    }

    /// One draft.
    ///
    /// # Errors
    ///
    /// [`DraftError::NotFound`], [`DraftError::Unreadable`].
    pub async fn draft(&self, owner: &Owner, id: DraftId) -> Result<Draft, DraftError> {
        let store = self.store()?;
        let keeper = self.text_keeper(&store).await?;
        self.draft_with(&store, &keeper, &DraftKey { owner: owner.clone(), id: id.0 }).await
    }

    async fn draft_with(
        &self,
        store: &StoreLease,
        keeper: &Keeper,
        key: &DraftKey,
    ) -> Result<Draft, DraftError> {
        if let Some(draft) = self.memory_drafts.get(key) {
            return Ok(draft);
        }
        let (row, body) = store.draft(key).await?.ok_or(DraftError::NotFound)?;
        let id = DraftId(key.id);
        let name = id.to_string();
        let head = keeper.read(head_place(&key.owner, &name), row.head);
        let body = keeper.read(body_place(&key.owner, &name), body);
        let (Some(head), Some((text, state))) =
            (head.as_deref().and_then(read_head), body.and_then(read_body))
        else {
            return Err(DraftError::Unreadable);
        };
        let Head { kind, connection, title, .. } = head;
        let content = DraftContent { kind, title, connection, text, state };
        Ok(Draft { id, revision: row.revision, content, updated: row.updated })
    }

    /// Keeps a draft, when its revision is still the one that was `seen`; 0: it is new.
    ///
    /// # Errors
    ///
    /// [`DraftError::Full`]; [`DraftError::Unreadable`] when there is a conflict with what cannot be opened.
    pub async fn save_draft(
        &self,
        owner: Owner,
        id: DraftId,
        seen: u64,
        content: DraftContent,
    ) -> Result<DraftChange<DraftHead>, DraftError> {
        let store = self.store()?;
        let keeper = self.text_keeper(&store).await?;
        let key = DraftKey { owner, id: id.0 };
        let name = id.to_string();
        let (revision, updated) = (seen.saturating_add(1), whole_microseconds(self.now()));
        let head = DraftHead::new(id, revision, content.head(), updated);
        let written = keeper
            .write(head_place(&key.owner, &name), write_head(&content.head()))
            .zip(keeper.write(body_place(&key.owner, &name), write_body(&content)));
        let done = match written {
            Some((head, body)) => {
                let draft = NewDraft { revision, head, body, updated };
                self.put_draft(&store, key.clone(), seen, draft).await?
            }
            None => {
                let stored = store.draft(&key).await?.map_or(0, |(row, _)| row.revision);
                let draft = Draft { id, revision, content, updated };
                self.memory_drafts.put(&key, seen, stored, draft, LIMITS)
            }
        };
        match done {
            DraftWrite::Done => Ok(DraftChange::Done(head)),
            DraftWrite::Full => Err(DraftError::Full),
            DraftWrite::Changed => self.conflict(&store, &keeper, &key).await,
        }
    }

    /// Writes a draft to the store. One that was in memory until now leaves it: by its revision only one caller gets it.
    async fn put_draft(
        &self,
        store: &StoreLease,
        key: DraftKey,
        seen: u64,
        draft: NewDraft,
    ) -> Result<DraftWrite, StoreError> {
        if !self.memory_drafts.has(&key) {
            return store.put_draft(key, Some(seen), draft, LIMITS).await;
        }
        let Some(taken) = self.memory_drafts.take(&key, seen) else { return Ok(DraftWrite::Changed) };
        let done = store.put_draft(key.clone(), None, draft, LIMITS).await;
        if !matches!(done, Ok(DraftWrite::Done)) {
            self.memory_drafts.give_back(key, taken);
        }
        done
    }

    /// Removes a draft, when its revision is still the one that was `seen`.
    ///
    /// # Errors
    ///
    /// [`DraftError::Unreadable`] when there is a conflict with what cannot be opened.
    pub async fn delete_draft(
        &self,
        owner: Owner,
        id: DraftId,
        seen: u64,
    ) -> Result<DraftChange<()>, DraftError> {
        let store = self.store()?;
        let key = DraftKey { owner, id: id.0 };
        let done = if !self.memory_drafts.has(&key) {
            store.delete_draft(key.clone(), Some(seen)).await?
        } else if self.memory_drafts.take(&key, seen).is_some() {
            // An older one may lie there.
            store.delete_draft(key.clone(), None).await?
        } else {
            DraftWrite::Changed
        };
        match done {
            DraftWrite::Done | DraftWrite::Full => Ok(DraftChange::Done(())),
            DraftWrite::Changed => {
                let keeper = self.text_keeper(&store).await?;
                self.conflict(&store, &keeper, &key).await
            }
        }
    }

    async fn conflict<T>(
        &self,
        store: &StoreLease,
        keeper: &Keeper,
        key: &DraftKey,
    ) -> Result<DraftChange<T>, DraftError> {
        match self.draft_with(store, keeper, key).await {
            Ok(draft) => Ok(DraftChange::Conflict(Some(draft))),
            Err(DraftError::NotFound) => Ok(DraftChange::Conflict(None)),
            Err(error) => Err(error),
        }
    }
}

/// A time as the store keeps it, so that it is told alike before and after.
fn whole_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

fn head_place<'a>(owner: &'a Owner, id: &'a str) -> TextPlace<'a> {
    TextPlace { owner, kind: "draft head", id }
}

fn body_place<'a>(owner: &'a Owner, id: &'a str) -> TextPlace<'a> {
    TextPlace { owner, kind: "draft body", id }
}
