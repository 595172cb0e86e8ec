//! The history: each caller's own.

use std::sync::Arc;

use querybox_contracts::core::v1 as pb;
use querybox_core::{Core, local_user};
use tonic::{Request, Response, Status};

use crate::{
    convert::{past_run_message, run_choice, run_id, runs_ask, runs_message},
    status::Refused,
};

pub(crate) struct History {
    core: Arc<Core>,
}

impl History {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::history_service_server::HistoryService for History {
    async fn list_runs(
        &self,
        request: Request<pb::ListRunsRequest>,
    ) -> Result<Response<pb::ListRunsResponse>, Status> {
        let ask = runs_ask(request.into_inner(), local_user())?;
        let listing = self.core.runs(ask).await.map_err(Refused::from)?;
        Ok(Response::new(runs_message(listing)))
    }

    async fn get_run(
        &self,
        request: Request<pb::GetRunRequest>,
    ) -> Result<Response<pb::GetRunResponse>, Status> {
        let id = run_id(&request.into_inner().run_id, "run_id")?;
        let run = self.core.past_run(&local_user(), id).await.map_err(Refused::from)?;
        Ok(Response::new(past_run_message(run)))
    }

    async fn delete_runs(
        &self,
        request: Request<pb::DeleteRunsRequest>,
    ) -> Result<Response<pb::DeleteRunsResponse>, Status> {
        let choice = run_choice(request.into_inner())?;
        let count = self.core.delete_runs(local_user(), choice).await.map_err(Refused::from)?;
        Ok(Response::new(pb::DeleteRunsResponse { count }))
    }
}
