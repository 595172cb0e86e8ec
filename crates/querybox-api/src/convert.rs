//! Messages to Core's plain types, and back.
//!
//! Each field that is absent or unspecified is taken as its comment in the `.proto` file says, or refused here by name.

mod connection;
mod copy;
mod credential;
mod download;
mod draft;
mod event;
mod export;
mod history;
mod key;
mod lease;
mod parameter;
mod plugin;
mod query;
mod result;
mod schema;
mod script;
mod session;
mod test_stage;
mod time;
mod unseen;
mod view;

pub(crate) use connection::{connection_id, connection_message, key, name, settings, unsaved};
pub(crate) use copy::{copy_outcome_message, copy_piece};
pub(crate) use credential::{
    migrated_message, new_secret, optional_field, places_message, stored_message, stored_place,
    stored_place_or_usual,
};
pub(crate) use download::{download_message, file_name};
pub(crate) use draft::{
    conflict_message, draft_content, draft_head_message, draft_id, draft_message, drafts_message,
    keeping_message,
};
pub(crate) use event::event_message;
pub(crate) use export::export_message;
pub use export::read_export_format;
pub(crate) use history::{past_run_message, run_choice, run_id, runs_ask, runs_message};
pub(crate) use key::{key_id, key_listing_message, key_message, key_record, registering, rotation_message};
pub(crate) use lease::{front_end, lease_request, leased_message};
pub(crate) use parameter::{given, parameter_messages, secrets};
pub(crate) use plugin::plugin_messages;
pub(crate) use query::{execute_options, execute_options_in_lease, unsaved_plugin};
pub(crate) use result::{
    cell_bytes, drop_cause, facts_message, result_id, row_count, rows_message, run_request, state_of_cell,
    summary_message,
};
pub(crate) use schema::{ddl_order, schema_kinds};
pub(crate) use script::{format_ask, formatted_message, outline_message, script_ask};
pub(crate) use session::{
    cancel_message, cause, ended_message, extension, opened_message, rejection_message, remaining_message,
    session_facts_message, session_id,
};
pub(crate) use test_stage::stage_message;
pub(crate) use view::{statistics_message, view_ask, view_message};

/// A field of a request that cannot be what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{called} {problem}")]
pub struct InvalidField {
    /// The field's path in the request, for instance `spec.name`.
    pub(crate) field: &'static str,
    /// What its message calls it: the field, unless people know it by another name.
    pub(crate) called: &'static str,
    pub(crate) problem: String,
}

impl InvalidField {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, called: field, problem: problem.into() }
    }

    /// The same, in the words of people who do not see the request.
    pub(crate) fn called(self, called: &'static str) -> Self {
        Self { called, ..self }
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self::new(field, "is missing")
    }
}
