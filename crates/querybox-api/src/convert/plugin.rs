//! Plugins.

use querybox_contracts::core::v1 as pb;
use querybox_core::{Listing, Plugin, PluginState};

use crate::status::chain;

/// The plugins, and the folders that were looked at.
pub(crate) fn plugin_messages(listing: &Listing) -> (Vec<pb::Plugin>, Vec<String>) {
    let folders = listing.folders.iter().map(|folder| folder.display().to_string()).collect();
    (listing.plugins.iter().map(plugin_message).collect(), folders)
}

fn plugin_message(plugin: &Plugin) -> pb::Plugin {
    let state = match &plugin.state {
        PluginState::Usable(described) => pb::plugin::State::Usable(described.wire.clone()),
        PluginState::Shadowed { described, by } => pb::plugin::State::Shadowed(pb::ShadowedPlugin {
            info: Some(described.wire.clone()),
            shadowed_by: by.display().to_string(),
        }),
        PluginState::Broken(error) => pb::plugin::State::Broken(pb::BrokenPlugin { error: chain(&**error) }),
    };
    pb::Plugin { path: plugin.path.display().to_string(), state: Some(state) }
}
