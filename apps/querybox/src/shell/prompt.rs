//! The prompt: whose turn it is, on which connection, in which transaction.

use std::borrow::Cow;

use querybox_contracts::plugin::v1::TransactionState;
use reedline::{PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus};

use crate::sanitize;

/// `sample=>`; `sample=*>` in a transaction; `sample=!>` in one that can only be rolled back; `sample->` where a statement
/// goes on.
pub(crate) struct Prompt {
    first: String,
    next: String,
}

impl Prompt {
    pub(crate) fn new(connection: &str, transaction: TransactionState) -> Prompt {
        let name = sanitize::line(connection);
        let state = match transaction {
            TransactionState::Unspecified | TransactionState::Idle => "",
            TransactionState::Open => "*",
            TransactionState::Failed => "!",
        };
        Prompt { first: format!("{name}={state}> "), next: format!("{name}-{state}> ") }
    }
}

impl reedline::Prompt for Prompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.first)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.next)
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let found = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => " (nothing found)",
        };
        Cow::Owned(format!("search{found}: {} ", search.term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transaction_shows() {
        let check = |state, first: &str, next: &str| {
            let prompt = Prompt::new("sample", state);
            assert_eq!((prompt.first.as_str(), prompt.next.as_str()), (first, next));
        };
        check(TransactionState::Idle, "sample=> ", "sample-> ");
        check(TransactionState::Open, "sample=*> ", "sample-*> ");
        check(TransactionState::Failed, "sample=!> ", "sample-!> ");
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        assert_eq!(Prompt::new("a\x1b[2J", TransactionState::Idle).first, "a\\x1b[2J=> ");
    }
}
