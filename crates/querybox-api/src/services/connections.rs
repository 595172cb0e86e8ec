//! Connections.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, future::ready};
use querybox_contracts::core::v1 as pb;
use querybox_core::{Core, Event, Target, TestRequest, local_user};
use tonic::{Request, Response, Status};

use crate::{
    convert::{
        self, InvalidField, connection_message, key, new_secret, parameter_messages, secrets, session_id,
        settings, stage_message,
    },
    status::Refused,
};

pub(crate) struct Connections {
    core: Arc<Core>,
}

impl Connections {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::connection_service_server::ConnectionService for Connections {
    async fn create_connection(
        &self,
        request: Request<pb::CreateConnectionRequest>,
    ) -> Result<Response<pb::CreateConnectionResponse>, Status> {
        let pb::CreateConnectionRequest { spec, secret } = request.into_inner();
        let settings = settings(spec)?;
        let (connection, secret_field) = match secret {
            None => (self.core.create_connection(settings).await.map_err(Refused::from)?, String::new()),
            Some(secret) => {
                let secret = new_secret(secret)?;
                let made = self.core.create_connection_with_secret(settings, local_user(), secret).await;
                let (connection, credential) = made.map_err(Refused::from)?;
                (connection, credential.key.field)
            }
        };
        let connection = Some(connection_message(connection));
        Ok(Response::new(pb::CreateConnectionResponse { connection, secret_field }))
    }

    async fn list_connections(
        &self,
        _: Request<pb::ListConnectionsRequest>,
    ) -> Result<Response<pb::ListConnectionsResponse>, Status> {
        let connections = self.core.connections().await.map_err(Refused::from)?;
        let connections = connections.into_iter().map(connection_message).collect();
        Ok(Response::new(pb::ListConnectionsResponse { connections }))
    }

    async fn get_connection(
        &self,
        request: Request<pb::GetConnectionRequest>,
    ) -> Result<Response<pb::GetConnectionResponse>, Status> {
        let key = key(request.into_inner().connection)?;
        let connection = self.core.connection(&key).await.map_err(Refused::from)?;
        Ok(Response::new(pb::GetConnectionResponse { connection: Some(connection_message(connection)) }))
    }

    async fn update_connection(
        &self,
        request: Request<pb::UpdateConnectionRequest>,
    ) -> Result<Response<pb::UpdateConnectionResponse>, Status> {
        let pb::UpdateConnectionRequest { id, revision, spec } = request.into_inner();
        let id = convert::connection_id(id)?;
        let settings = settings(spec)?;
        let updated = self.core.update_connection(id, revision, settings).await.map_err(Refused::from)?;
        Ok(Response::new(pb::UpdateConnectionResponse {
            connection: Some(connection_message(updated.connection)),
            credentials_dropped: updated.dropped.fields,
            credentials_dropped_for: updated.dropped_for,
            keyring_entries_left: u32::try_from(updated.dropped.keyring_entries_left).unwrap_or(u32::MAX),
        }))
    }

    async fn duplicate_connection(
        &self,
        request: Request<pb::DuplicateConnectionRequest>,
    ) -> Result<Response<pb::DuplicateConnectionResponse>, Status> {
        let pb::DuplicateConnectionRequest { connection, name } = request.into_inner();
        let key = key(connection)?;
        let name = convert::name(&name)?;
        let connection = self.core.duplicate_connection(&key, name).await.map_err(Refused::from)?;
        Ok(Response::new(pb::DuplicateConnectionResponse {
            connection: Some(connection_message(connection)),
        }))
    }

    async fn delete_connection(
        &self,
        request: Request<pb::DeleteConnectionRequest>,
    ) -> Result<Response<pb::DeleteConnectionResponse>, Status> {
        let key = key(request.into_inner().connection)?;
        let left = self.core.delete_connection(&key).await.map_err(Refused::from)?;
        let keyring_entries_left = u32::try_from(left).unwrap_or(u32::MAX);
        Ok(Response::new(pb::DeleteConnectionResponse { keyring_entries_left }))
    }

    type TestConnectionStream =
        Pin<Box<dyn Stream<Item = Result<pb::TestConnectionResponse, Status>> + Send>>;

    async fn test_connection(
        &self,
        request: Request<pb::TestConnectionRequest>,
    ) -> Result<Response<Self::TestConnectionStream>, Status> {
        let pb::TestConnectionRequest { session_id: id, target, credential } = request.into_inner();
        let secrets = secrets(credential);
        let target = match target {
            None => return Err(Refused::from(InvalidField::missing("target")).into()),
            Some(pb::test_connection_request::Target::Connection(connection)) => {
                Target::Saved(key(Some(connection))?)
            }
            Some(pb::test_connection_request::Target::Unsaved(spec)) => {
                Target::Unsaved(Box::new(convert::unsaved(spec)?))
            }
        };
        let request = TestRequest { session_id: session_id(&id)?, target, secrets };
        let events = self.core.test_connection(request).await.map_err(Refused::from)?;
        let messages = events.filter_map(|event| {
            ready(match event {
                Ok(Event::Part(step)) => Some(Ok(stage_message(step))),
                // A test has no session to tell of.
                Ok(Event::Opened(_) | Event::Refused(_) | Event::Ended(_)) => None,
                Err(error) => Some(Err(Refused::from(error).into())),
            })
        });
        Ok(Response::new(Box::pin(messages)))
    }

    async fn parse_url(
        &self,
        request: Request<pb::ParseUrlRequest>,
    ) -> Result<Response<pb::ParseUrlResponse>, Status> {
        let parsed = self.core.parse_url(&request.into_inner().url).await.map_err(Refused::from)?;
        Ok(Response::new(pb::ParseUrlResponse {
            driver_type: parsed.driver_type,
            parameters: parameter_messages(parsed.parameters),
        }))
    }
}
