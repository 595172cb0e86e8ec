//! Drafts: what people have typed and how their windows stand, kept while they type.
//!
//! A draft is changed by who has seen its last revision; whoever has not is told what is there. Where nothing can be sealed,
//! drafts live in memory until Core ends, and the page that wrote them gives them again. When a key comes they go to the store.

mod form;
mod memory;
mod revisions;

use std::str::FromStr;

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, DraftKey, DraftLimits, DraftRow, DraftWrite, Error as StoreError, NewDraft, Owner, Written,
};
use uuid::Uuid;

use self::form::{Head, read_body, read_head, write_body, write_head};
pub(crate) use self::{memory::MemoryDrafts, revisions::Revisions};
use crate::{
    Core, KeptId, ShuttingDown, TextKeeping,
    core::StoreLease,
    texts::{Keeper, Purpose, TextPlace},
};

/// Bytes of a draft's text: more than this, nobody types.
pub const DRAFT_TEXT_BYTES_MAX: usize = 4 << 20;
/// Bytes of what else a front end keeps with a draft.
pub const DRAFT_STATE_BYTES_MAX: usize = 64 << 10;
/// Characters of a draft's title.
pub const DRAFT_TITLE_CHARS_MAX: usize = 200;
/// What one owner may keep.
const LIMITS: DraftLimits = DraftLimits { drafts_max: 500, bytes_max: 64 << 20 };
/// How often a draft is sealed anew when the key of texts is replaced under it. That takes a person at a prompt.
const SEALINGS_MAX: usize = 3;

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
    /// Grows with each change, and is never had twice under one name.
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
        self.sweep_drafts(&store).await?;
        let keeper = self.texts.keeper(&store, Purpose::Read).await?;
        // Before the store is read: what is on its way there is met in one of the two.
        let mut drafts = self.memory_drafts.heads(owner);
        let mut unreadable = 0;
        for DraftRow { id, revision, head, updated, .. } in store.drafts(owner.clone()).await? {
            let id = DraftId(id);
            if let Some(at) = drafts.iter().position(|draft: &DraftHead| draft.id == id) {
                if drafts[at].revision >= revision {
                    continue;
                }
                drafts.remove(at);
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
        self.draft_in(&store, &DraftKey { owner: owner.clone(), id: id.0 }).await
    }

    async fn draft_in(&self, store: &StoreLease, key: &DraftKey) -> Result<Draft, DraftError> {
        let keeper = self.texts.keeper(store, Purpose::Read).await?;
        let in_memory = self.memory_drafts.get(key);
        let stored = store.draft(key).await?;
        match (in_memory, stored) {
            (Some(draft), Some((row, _))) if draft.revision >= row.revision => Ok(draft),
            (_, Some((row, body))) => open(&keeper, key, row, body).ok_or(DraftError::Unreadable),
            (Some(draft), None) => Ok(draft),
            (None, None) => Err(DraftError::NotFound),
        }
    }

    /// Keeps a draft, when its revision is still the one that was `seen`; 0: it is new. Tells, too, how it is kept.
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
    ) -> Result<(DraftChange<DraftHead>, TextKeeping), DraftError> {
        let store = self.store()?;
        self.sweep_drafts(&store).await?;
        let key = DraftKey { owner, id: id.0 };
        let now = self.now();
        let (revision, updated) = (self.revisions.make(seen, now), whole_microseconds(now));
        let head = DraftHead::new(id, revision, content.head(), updated);
        let draft = Draft { id, revision, content, updated };
        for _ in 0..SEALINGS_MAX {
            let keeper = self.texts.keeper(&store, Purpose::Write).await?;
            let sealed = seal(&keeper, &key, &draft);
            let turn = self.memory_drafts.turn().await;
            let done = match sealed {
                Some(sealed) => self.put_draft(&store, &key, seen, sealed).await?,
                None => {
                    let stored = store.draft_revision(&key).await?;
                    self.memory_drafts.put(&key, seen, stored, draft.clone(), LIMITS)
                }
            };
            drop(turn);
            let change = match done {
                DraftWrite::Done => {
                    self.tell_kept(KeptId::Draft(id), false);
                    DraftChange::Done(head)
                }
                DraftWrite::Full => return Err(DraftError::Full),
                DraftWrite::Changed => self.conflict(&store, &key).await?,
                DraftWrite::KeyGone => continue,
            };
            return Ok((change, keeper.how));
        }
        Err(DraftError::Store(StoreError::Busy))
    }

    /// Writes a draft to the store, over what was `seen` there or in memory. The caller has the turn.
    async fn put_draft(
        &self,
        store: &StoreLease,
        key: &DraftKey,
        seen: u64,
        draft: NewDraft,
    ) -> Result<DraftWrite, StoreError> {
        let over = match self.memory_drafts.revision(key) {
            None => seen,
            Some(in_memory) => {
                let stored = store.draft_revision(key).await?;
                if in_memory.max(stored) != seen {
                    return Ok(DraftWrite::Changed);
                }
                // Of two programs that come here together, the store lets one through.
                stored
            }
        };
        let revision = draft.revision;
        let done = store.put_draft(key.clone(), over, draft, LIMITS).await?;
        if done == DraftWrite::Done {
            self.memory_drafts.settle(key, revision);
        }
        Ok(done)
    }

    /// Brings drafts from memory to the store, as soon as they can be kept there. What finds no room there stays.
    pub(crate) async fn sweep_drafts(&self, store: &StoreLease) -> Result<(), StoreError> {
        for key in self.memory_drafts.keys() {
            let keeper = self.texts.keeper(store, Purpose::Write).await?;
            let _turn = self.memory_drafts.turn().await;
            let Some(draft) = self.memory_drafts.get(&key) else { continue };
            let stored = store.draft_revision(&key).await?;
            if stored < draft.revision {
                let Some(sealed) = seal(&keeper, &key, &draft) else { return Ok(()) };
                if store.put_draft(key.clone(), stored, sealed, LIMITS).await? != DraftWrite::Done {
                    continue;
                }
            }
            self.memory_drafts.settle(&key, draft.revision.max(stored));
        }
        Ok(())
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
        let turn = self.memory_drafts.turn().await;
        let is_removed = match self.memory_drafts.revision(&key) {
            None => store.delete_draft(key.clone(), seen).await? == DraftWrite::Done,
            Some(in_memory) => {
                let stored = store.draft_revision(&key).await?;
                // An older one in the store first: given up between the two, the newer one is still there.
                in_memory.max(stored) == seen
                    && store.delete_draft(key.clone(), stored).await? == DraftWrite::Done
                    && (stored >= in_memory || self.memory_drafts.remove(&key, seen))
            }
        };
        if is_removed {
            self.memory_drafts.settle(&key, seen);
            self.tell_kept(KeptId::Draft(id), true);
            return Ok(DraftChange::Done(()));
        }
        drop(turn);
        self.conflict(&store, &key).await
    }

    async fn conflict<T>(&self, store: &StoreLease, key: &DraftKey) -> Result<DraftChange<T>, DraftError> {
        match self.draft_in(store, key).await {
            Ok(draft) => Ok(DraftChange::Conflict(Some(draft))),
            Err(DraftError::NotFound) => Ok(DraftChange::Conflict(None)),
            Err(error) => Err(error),
        }
    }
}

/// A draft as it is written to the store. `None`: it is to stay in memory.
fn seal(keeper: &Keeper, key: &DraftKey, draft: &Draft) -> Option<NewDraft> {
    let name = draft.id.to_string();
    let head = keeper.write(head_place(&key.owner, &name), write_head(&draft.content.head()))?;
    let body = keeper.write(body_place(&key.owner, &name), write_body(&draft.content))?;
    let text_key = keeper.sealing_key();
    Some(NewDraft { revision: draft.revision, head, body, text_key, updated: draft.updated })
}

/// A draft as it lies in the store. `None`: it does not open.
pub(crate) fn open(keeper: &Keeper, key: &DraftKey, row: DraftRow, body: Written) -> Option<Draft> {
    let id = DraftId(key.id);
    let name = id.to_string();
    let head = read_head(&keeper.read(head_place(&key.owner, &name), row.head)?)?;
    let (text, state) = read_body(keeper.read(body_place(&key.owner, &name), body)?)?;
    let Head { kind, connection, title, .. } = head;
    let content = DraftContent { kind, title, connection, text, state };
    Some(Draft { id, revision: row.revision, content, updated: row.updated })
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
