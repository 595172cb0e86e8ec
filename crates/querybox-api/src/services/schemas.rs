//! Reading catalogs.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, future::ready};
use querybox_contracts::core::v1 as pb;
use querybox_core::{
    Answers, Core, DdlPart, DdlRequest, Event, Rejection, SchemaOrder, SchemaPart, SchemaRequest,
    SessionError, Target,
};
use tonic::{Request, Response, Status};

use crate::{
    convert::{InvalidField, ddl_order, key, rejection_message, schema_kinds, secrets, session_id},
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

type Messages<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

#[tonic::async_trait]
impl pb::schema_service_server::SchemaService for Schemas {
    type GetSchemaStream = Messages<pb::GetSchemaResponse>;

    async fn get_schema(
        &self,
        request: Request<pb::GetSchemaRequest>,
    ) -> Result<Response<Self::GetSchemaStream>, Status> {
        let request = request.into_inner();
        let session_id = session_id(&request.session_id)?;
        let filter = SchemaOrder {
            schemas: request.schemas,
            name: Some(request.name).filter(|name| !name.is_empty()),
            name_pattern: Some(request.name_pattern).filter(|pattern| !pattern.is_empty()),
            kinds: schema_kinds(&request.kinds)?,
            include_system: request.include_system,
            include_sizes: request.include_sizes,
        };
        let secrets = secrets(request.credential);
        let messages = match request.connection {
            None if !secrets.is_empty() => return Err(credential_in_lease().into()),
            None => {
                let core = Arc::clone(&self.core);
                let refused = move |error| Refused::in_lease(error, core.lease_end(session_id)).into();
                let answers = self.core.schema_in_session(session_id, filter).await.map_err(&refused)?;
                messages(answers, schema_message, refused)
            }
            Some(connection) => {
                let target = Target::Saved(key(Some(connection))?);
                let request = SchemaRequest { session_id, target, secrets, filter };
                let answers = self.core.schema(request).await.map_err(Refused::from)?;
                let refused = |error| Refused::from(error).into();
                messages(answers, schema_message, refused)
            }
        };
        Ok(Response::new(messages))
    }

    type GetDdlStream = Messages<pb::GetDdlResponse>;

    async fn get_ddl(
        &self,
        request: Request<pb::GetDdlRequest>,
    ) -> Result<Response<Self::GetDdlStream>, Status> {
        let request = request.into_inner();
        let session_id = session_id(&request.session_id)?;
        let order = ddl_order(request.objects)?;
        let secrets = secrets(request.credential);
        let messages = match request.connection {
            None if !secrets.is_empty() => return Err(credential_in_lease().into()),
            None => {
                let core = Arc::clone(&self.core);
                let refused = move |error| Refused::in_lease(error, core.lease_end(session_id)).into();
                let answers = self.core.ddl_in_session(session_id, order).await.map_err(&refused)?;
                messages(answers, ddl_message, refused)
            }
            Some(connection) => {
                let target = Target::Saved(key(Some(connection))?);
                let request = DdlRequest { session_id, target, secrets, order };
                let answers = self.core.ddl(request).await.map_err(Refused::from)?;
                let refused = |error| Refused::from(error).into();
                messages(answers, ddl_message, refused)
            }
        };
        Ok(Response::new(messages))
    }
}

fn credential_in_lease() -> InvalidField {
    InvalidField::new("credential", "is not taken in a leased session")
}

fn schema_message(part: Result<SchemaPart, Rejection>) -> pb::GetSchemaResponse {
    use pb::get_schema_response::Part;
    let part = match part {
        Ok(part) => Part::Objects(part.wire),
        Err(rejection) => Part::Rejection(rejection_message(rejection)),
    };
    pb::GetSchemaResponse { part: Some(part) }
}

fn ddl_message(part: Result<DdlPart, Rejection>) -> pb::GetDdlResponse {
    use pb::get_ddl_response::Part;
    let part = match part {
        Ok(part) => Part::Ddl(part.wire),
        Err(rejection) => Part::Rejection(rejection_message(rejection)),
    };
    pb::GetDdlResponse { part: Some(part) }
}

/// A session's answers as messages. The database's refusal to open is one, too.
fn messages<P: Send + 'static, M: Send + 'static>(
    answers: Answers<P>,
    message: impl Fn(Result<P, Rejection>) -> M + Send + 'static,
    refused: impl Fn(SessionError) -> Status + Send + 'static,
) -> Messages<M> {
    Box::pin(answers.filter_map(move |event| {
        ready(match event {
            Ok(Event::Part(part)) => Some(Ok(message(Ok(part)))),
            Ok(Event::Refused(rejection)) => Some(Ok(message(Err(*rejection)))),
            Ok(Event::Opened(_) | Event::Ended(_)) => None,
            Err(error) => Some(Err(refused(error))),
        })
    }))
}
