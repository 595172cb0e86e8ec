//! Reading catalogs.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, future::ready};
use querybox_contracts::core::v1::{self as pb, get_schema_response::Part};
use querybox_core::{Answers, Core, Event, SchemaPart, SchemaRequest, SessionError, Target};
use tonic::{Request, Response, Status};

use crate::{
    convert::{InvalidField, key, rejection_message, schema_filter, secrets, session_id},
    status::Refused,
};

pub(crate) struct Schemas {
    core: Arc<Core>,
}

impl Schemas {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<pb::GetSchemaResponse, Status>> + Send>>;

#[tonic::async_trait]
impl pb::schema_service_server::SchemaService for Schemas {
    type GetSchemaStream = Messages;

    async fn get_schema(
        &self,
        request: Request<pb::GetSchemaRequest>,
    ) -> Result<Response<Self::GetSchemaStream>, Status> {
        let request = request.into_inner();
        let id = session_id(&request.session_id)?;
        let filter =
            schema_filter(request.schemas, request.relation, &request.kinds, request.include_system)?;
        let secrets = secrets(request.credential);
        let messages = match request.connection {
            None if !secrets.is_empty() => {
                return Err(InvalidField::new("credential", "is not taken in a leased session").into());
            }
            None => {
                let core = Arc::clone(&self.core);
                let refused = move |error| Refused::in_lease(error, core.lease_end(id)).into();
                messages(self.core.schema_in_session(id, filter).await.map_err(&refused)?, refused)
            }
            Some(connection) => {
                let target = Target::Saved(key(Some(connection))?);
                let request = SchemaRequest { session_id: id, target, secrets, filter };
                let answers = self.core.schema(request).await.map_err(Refused::from)?;
                messages(answers, |error| Refused::from(error).into())
            }
        };
        Ok(Response::new(messages))
    }
}

fn messages(
    answers: Answers<SchemaPart>,
    refused: impl Fn(SessionError) -> Status + Send + 'static,
) -> Messages {
    Box::pin(answers.filter_map(move |event| {
        let part = match event {
            Ok(Event::Part(part)) => Some(Ok(Part::Objects(part.wire))),
            Ok(Event::Refused(rejection)) => Some(Ok(Part::Rejection(rejection_message(*rejection)))),
            Ok(Event::Opened(_) | Event::Ended(_)) => None,
            Err(error) => Some(Err(refused(error))),
        };
        ready(part.map(|part| part.map(|part| pb::GetSchemaResponse { part: Some(part) })))
    }))
}
