//! Plugins.

use std::sync::Arc;

use querybox_contracts::core::v1 as pb;
use querybox_core::Core;
use tonic::{Request, Response, Status};

use crate::convert::plugin_messages;

pub(crate) struct Plugins {
    core: Arc<Core>,
}

impl Plugins {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::plugin_service_server::PluginService for Plugins {
    async fn list_plugins(
        &self,
        _: Request<pb::ListPluginsRequest>,
    ) -> Result<Response<pb::ListPluginsResponse>, Status> {
        let listing = self.core.plugins().await;
        let (plugins, folders) = plugin_messages(&listing);
        Ok(Response::new(pb::ListPluginsResponse { plugins, folders }))
    }

    async fn rescan_plugins(
        &self,
        _: Request<pb::RescanPluginsRequest>,
    ) -> Result<Response<pb::RescanPluginsResponse>, Status> {
        let listing = self.core.rescan_plugins().await;
        let (plugins, folders) = plugin_messages(&listing);
        Ok(Response::new(pb::RescanPluginsResponse { plugins, folders }))
    }
}
