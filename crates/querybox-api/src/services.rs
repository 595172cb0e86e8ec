//! The services, one a file: each method reads its request, calls Core, and writes the answer.

mod access;
mod connections;
mod credentials;
mod drafts;
mod events;
mod history;
mod keys;
mod plugins;
mod queries;
mod results;
mod schemas;
mod scripts;
mod sessions;

pub(crate) use access::AccessTo;
pub(crate) use connections::Connections;
pub(crate) use credentials::Credentials;
pub(crate) use drafts::Drafts;
pub(crate) use events::Events;
pub(crate) use history::History;
pub(crate) use keys::Keys;
pub(crate) use plugins::Plugins;
pub(crate) use queries::Queries;
pub(crate) use results::Results;
pub(crate) use schemas::Schemas;
pub(crate) use scripts::Scripts;
pub(crate) use sessions::Sessions;
