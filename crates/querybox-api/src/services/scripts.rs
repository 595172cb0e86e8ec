//! Reading scripts for editors.

use std::sync::Arc;

use querybox_contracts::core::v1 as pb;
use querybox_core::{ConnectionError, Core};
use tonic::{Request, Response, Status};

use crate::{
    convert::{format_ask, formatted_message, outline_message, script_ask},
    status::Refused,
};

pub(crate) struct Scripts {
    core: Arc<Core>,
}

impl Scripts {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::script_service_server::ScriptService for Scripts {
    async fn split_script(
        &self,
        request: Request<pb::SplitScriptRequest>,
    ) -> Result<Response<pb::SplitScriptResponse>, Status> {
        let ask = script_ask(request.into_inner())?;
        let outline =
            self.core.split_script(ask).await.map_err(ConnectionError::from).map_err(Refused::from)?;
        Ok(Response::new(outline_message(outline)))
    }

    async fn format_script(
        &self,
        request: Request<pb::FormatScriptRequest>,
    ) -> Result<Response<pb::FormatScriptResponse>, Status> {
        let ask = format_ask(request.into_inner())?;
        let formatted =
            self.core.format_script(ask).await.map_err(ConnectionError::from).map_err(Refused::from)?;
        Ok(Response::new(formatted_message(formatted)))
    }
}
