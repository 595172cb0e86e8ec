//! Drafts: each caller's own.

use std::sync::Arc;

use querybox_contracts::core::v1::{self as pb, delete_draft_response, save_draft_response};
use querybox_core::{Core, DraftChange, local_user};
use tonic::{Request, Response, Status};

use crate::{
    convert::{
        conflict_message, draft_content, draft_head_message, draft_id, draft_message, drafts_message,
        keeping_message,
    },
    status::Refused,
};

pub(crate) struct Drafts {
    core: Arc<Core>,
}

impl Drafts {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::draft_service_server::DraftService for Drafts {
    async fn list_drafts(
        &self,
        _: Request<pb::ListDraftsRequest>,
    ) -> Result<Response<pb::ListDraftsResponse>, Status> {
        let listing = self.core.drafts(&local_user()).await.map_err(Refused::from)?;
        Ok(Response::new(drafts_message(listing)))
    }

    async fn get_draft(
        &self,
        request: Request<pb::GetDraftRequest>,
    ) -> Result<Response<pb::GetDraftResponse>, Status> {
        let id = draft_id(&request.into_inner().draft_id)?;
        let draft = self.core.draft(&local_user(), id).await.map_err(Refused::from)?;
        Ok(Response::new(pb::GetDraftResponse { draft: Some(draft_message(draft)) }))
    }

    async fn save_draft(
        &self,
        request: Request<pb::SaveDraftRequest>,
    ) -> Result<Response<pb::SaveDraftResponse>, Status> {
        use save_draft_response::Outcome;
        let pb::SaveDraftRequest { draft_id: id, revision, content } = request.into_inner();
        let (id, content) = (draft_id(&id)?, draft_content(content)?);
        let saved = self.core.save_draft(local_user(), id, revision, content).await;
        let (change, keeping) = saved.map_err(Refused::from)?;
        let outcome = match change {
            DraftChange::Done(head) => Outcome::Saved(draft_head_message(head)),
            DraftChange::Conflict(present) => Outcome::Conflict(conflict_message(present)),
        };
        let keeping = keeping_message(keeping).into();
        Ok(Response::new(pb::SaveDraftResponse { outcome: Some(outcome), keeping }))
    }

    async fn delete_draft(
        &self,
        request: Request<pb::DeleteDraftRequest>,
    ) -> Result<Response<pb::DeleteDraftResponse>, Status> {
        use delete_draft_response::Outcome;
        let pb::DeleteDraftRequest { draft_id: id, revision } = request.into_inner();
        let deleted = self.core.delete_draft(local_user(), draft_id(&id)?, revision).await;
        let outcome = match deleted.map_err(Refused::from)? {
            DraftChange::Done(()) => Outcome::Deleted(pb::DraftDeleted {}),
            DraftChange::Conflict(present) => Outcome::Conflict(conflict_message(present)),
        };
        Ok(Response::new(pb::DeleteDraftResponse { outcome: Some(outcome) }))
    }
}
