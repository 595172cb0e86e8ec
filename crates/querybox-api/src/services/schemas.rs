//! Reading catalogs.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, future::ready};
use querybox_contracts::core::v1::{self as pb, get_schema_response::Part};
use querybox_core::{Core, Event, SchemaRequest, Target};
use tonic::{Request, Response, Status};

use crate::{
    convert::{key, rejection_message, schema_filter, secrets, session_id},
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

#[tonic::async_trait]
impl pb::schema_service_server::SchemaService for Schemas {
    type GetSchemaStream = Pin<Box<dyn Stream<Item = Result<pb::GetSchemaResponse, Status>> + Send>>;

    async fn get_schema(
        &self,
        request: Request<pb::GetSchemaRequest>,
    ) -> Result<Response<Self::GetSchemaStream>, Status> {
        let request = request.into_inner();
        let request = SchemaRequest {
            secrets: secrets(request.credential),
            session_id: session_id(&request.session_id)?,
            target: Target::Saved(key(request.connection)?),
            filter: schema_filter(request.schemas, request.relation, &request.kinds, request.include_system)?,
        };
        let events = self.core.schema(request).await.map_err(Refused::from)?;
        let messages = events.filter_map(|event| {
            let part = match event {
                Ok(Event::Part(part)) => Some(Ok(Part::Objects(part.wire))),
                Ok(Event::Refused(rejection)) => Some(Ok(Part::Rejection(rejection_message(*rejection)))),
                Ok(Event::Opened(_) | Event::Ended(_)) => None,
                Err(error) => Some(Err(Refused::from(error).into())),
            };
            ready(part.map(|part| part.map(|part| pb::GetSchemaResponse { part: Some(part) })))
        });
        Ok(Response::new(Box::pin(messages)))
    }
}
