//! Sessions: leased ones, and stopping what any session runs, or giving it more time.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, future::ready};
use querybox_contracts::core::v1::{self as pb, execute_in_session_response::Part};
use querybox_core::{Core, Event};
use tonic::{Request, Response, Status};

use crate::{
    convert::{
        cancel_message, copy_outcome_message, copy_piece, execute_options_in_lease, extension, lease_request,
        leased_message, remaining_message, session_facts_message, session_id,
    },
    status::Refused,
};

pub(crate) struct Sessions {
    core: Arc<Core>,
}

impl Sessions {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::session_service_server::SessionService for Sessions {
    async fn list_sessions(
        &self,
        _: Request<pb::ListSessionsRequest>,
    ) -> Result<Response<pb::ListSessionsResponse>, Status> {
        let sessions = self.core.session_facts().into_iter().map(session_facts_message).collect();
        Ok(Response::new(pb::ListSessionsResponse { sessions }))
    }

    async fn open_session(
        &self,
        request: Request<pb::OpenSessionRequest>,
    ) -> Result<Response<pb::OpenSessionResponse>, Status> {
        let request = lease_request(request.into_inner())?;
        let outcome = self.core.open_session(request).await.map_err(Refused::from)?;
        Ok(Response::new(leased_message(outcome)))
    }

    type ExecuteInSessionStream =
        Pin<Box<dyn Stream<Item = Result<pb::ExecuteInSessionResponse, Status>> + Send>>;

    async fn execute_in_session(
        &self,
        request: Request<pb::ExecuteInSessionRequest>,
    ) -> Result<Response<Self::ExecuteInSessionStream>, Status> {
        let pb::ExecuteInSessionRequest { session_id: id, sql, options } = request.into_inner();
        let id = session_id(&id)?;
        let options = execute_options_in_lease(options)?;
        let core = Arc::clone(&self.core);
        let refused = move |error| Status::from(Refused::in_lease(error, core.lease_end(id)));
        let answers = self.core.execute_in_session(id, sql, options).await.map_err(&refused)?;
        let messages = answers.filter_map(move |event| {
            ready(match event {
                // As the driver sent it: nothing of a batch is looked at or copied.
                Ok(Event::Part(part)) => {
                    Some(Ok(pb::ExecuteInSessionResponse { part: Some(Part::Result(part.wire)) }))
                }
                // The session was open before, and stays so.
                Ok(Event::Opened(_) | Event::Refused(_) | Event::Ended(_)) => None,
                Err(error) => Some(Err(refused(error))),
            })
        });
        Ok(Response::new(Box::pin(messages)))
    }

    async fn cancel_session(
        &self,
        request: Request<pb::CancelSessionRequest>,
    ) -> Result<Response<pb::CancelSessionResponse>, Status> {
        let id = session_id(&request.into_inner().session_id)?;
        let cancelled = self.core.cancel_session(id).await.map_err(Refused::from)?;
        Ok(Response::new(cancel_message(cancelled)))
    }

    async fn extend_deadline(
        &self,
        request: Request<pb::ExtendDeadlineRequest>,
    ) -> Result<Response<pb::ExtendDeadlineResponse>, Status> {
        let pb::ExtendDeadlineRequest { session_id: id, extension: wanted } = request.into_inner();
        let id = session_id(&id)?;
        let remaining = self.core.extend_deadline(id, extension(wanted)?).map_err(Refused::from)?;
        Ok(Response::new(remaining_message(remaining)))
    }

    async fn send_copy_data(
        &self,
        request: Request<pb::SendCopyDataRequest>,
    ) -> Result<Response<pb::SendCopyDataResponse>, Status> {
        let (id, piece) = copy_piece(request.into_inner())?;
        let outcome = self.core.send_copy_data(id, piece).await.map_err(Refused::from)?;
        Ok(Response::new(copy_outcome_message(outcome)))
    }

    async fn close_session(
        &self,
        request: Request<pb::CloseSessionRequest>,
    ) -> Result<Response<pb::CloseSessionResponse>, Status> {
        let id = session_id(&request.into_inner().session_id)?;
        let end = self.core.close_session(id).await.map_err(Refused::from)?;
        Ok(Response::new(pb::CloseSessionResponse { transaction_lost: end.transaction_lost }))
    }
}
