//! Credentials: set, forgotten, told of, moved. No answer holds a secret.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use querybox_contracts::core::v1 as pb;
use querybox_core::{Core, Secret, local_user};
use tonic::{Request, Response, Status};

use crate::{
    convert::{
        key, migrated_message, optional_field, places_message, stored_message, stored_place,
        stored_place_or_usual,
    },
    status::Refused,
};

pub(crate) struct Credentials {
    core: Arc<Core>,
}

impl Credentials {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::credential_service_server::CredentialService for Credentials {
    async fn set_credential(
        &self,
        request: Request<pb::SetCredentialRequest>,
    ) -> Result<Response<pb::SetCredentialResponse>, Status> {
        let pb::SetCredentialRequest { connection, field, secret, place } = request.into_inner();
        // Nothing of it stays in the message.
        let secret = Secret::new(Vec::from(secret));
        let key = key(connection)?;
        let place = stored_place_or_usual(place, "place")?;
        let set = self.core.set_credential(&key, local_user(), optional_field(field), secret, place).await;
        let (connection, credential) = set.map_err(Refused::from)?;
        let credential = Some(stored_message(&connection, credential));
        Ok(Response::new(pb::SetCredentialResponse { credential }))
    }

    async fn delete_credential(
        &self,
        request: Request<pb::DeleteCredentialRequest>,
    ) -> Result<Response<pb::DeleteCredentialResponse>, Status> {
        let pb::DeleteCredentialRequest { connection, field } = request.into_inner();
        let key = key(connection)?;
        let forgotten = self.core.delete_credential(&key, local_user(), optional_field(field)).await;
        let forgotten = forgotten.map_err(Refused::from)?;
        Ok(Response::new(pb::DeleteCredentialResponse {
            fields: forgotten.fields,
            keyring_entries_left: u32::try_from(forgotten.keyring_entries_left).unwrap_or(u32::MAX),
        }))
    }

    async fn list_credentials(
        &self,
        request: Request<pb::ListCredentialsRequest>,
    ) -> Result<Response<pb::ListCredentialsResponse>, Status> {
        let connection = request.into_inner().connection;
        let key = connection.map(|connection| key(Some(connection))).transpose()?;
        let stored = self.core.credentials(key.as_ref(), &local_user()).await.map_err(Refused::from)?;
        let places = self.core.secret_places().await.map_err(Refused::from)?;
        Ok(Response::new(pb::ListCredentialsResponse {
            credentials: stored
                .into_iter()
                .map(|(connection, credential)| stored_message(&connection, credential))
                .collect(),
            places: Some(places_message(places)),
        }))
    }

    async fn get_secret_places(
        &self,
        _: Request<pb::GetSecretPlacesRequest>,
    ) -> Result<Response<pb::GetSecretPlacesResponse>, Status> {
        let places = self.core.secret_places().await.map_err(Refused::from)?;
        Ok(Response::new(pb::GetSecretPlacesResponse { places: Some(places_message(places)) }))
    }

    type MigrateCredentialsStream =
        Pin<Box<dyn Stream<Item = Result<pb::MigrateCredentialsResponse, Status>> + Send>>;

    async fn migrate_credentials(
        &self,
        request: Request<pb::MigrateCredentialsRequest>,
    ) -> Result<Response<Self::MigrateCredentialsStream>, Status> {
        let pb::MigrateCredentialsRequest { to, connections, is_dry_run } = request.into_inner();
        let to = stored_place(to, "to")?;
        let connections =
            connections.into_iter().map(|connection| key(Some(connection))).collect::<Result<_, _>>()?;
        let migration = self.core.migrate_credentials(to, connections, is_dry_run).await;
        let messages = migration.map_err(Refused::from)?.map(|migrated| match migrated {
            Ok(migrated) => Ok(migrated_message(migrated)),
            Err(error) => Err(Refused::from(error).into()),
        });
        Ok(Response::new(Box::pin(messages)))
    }
}
