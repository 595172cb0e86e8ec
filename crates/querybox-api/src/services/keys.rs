//! Master keys, by their records. No message holds a key.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use querybox_contracts::core::v1 as pb;
use querybox_core::{Core, ForgottenTexts};
use tonic::{Request, Response, Status};

use crate::{
    convert::{key_id, key_listing_message, key_message, key_record, registering, rotation_message},
    status::Refused,
};

pub(crate) struct Keys {
    core: Arc<Core>,
}

impl Keys {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::key_service_server::KeyService for Keys {
    async fn list_keys(
        &self,
        _: Request<pb::ListKeysRequest>,
    ) -> Result<Response<pb::ListKeysResponse>, Status> {
        let listing = self.core.keys().await.map_err(Refused::from)?;
        Ok(Response::new(key_listing_message(listing)))
    }

    async fn register_key(
        &self,
        request: Request<pb::RegisterKeyRequest>,
    ) -> Result<Response<pb::RegisterKeyResponse>, Status> {
        let pb::RegisterKeyRequest { record, must_be_first, replace_unused } = request.into_inner();
        let record = key_record(record)?;
        let registering = registering(must_be_first, replace_unused);
        let key = self.core.register_key(record, registering).await.map_err(Refused::from)?;
        Ok(Response::new(pb::RegisterKeyResponse { key: Some(key_message(key)) }))
    }

    async fn register_source_keys(
        &self,
        request: Request<pb::RegisterSourceKeysRequest>,
    ) -> Result<Response<pb::RegisterSourceKeysResponse>, Status> {
        let pb::RegisterSourceKeysRequest { must_be_first, replace_unused } = request.into_inner();
        let registering = registering(must_be_first, replace_unused);
        let registered = self.core.register_source_keys(registering).await.map_err(Refused::from)?;
        let registered = registered.into_iter().map(key_message).collect();
        Ok(Response::new(pb::RegisterSourceKeysResponse { registered }))
    }

    type RotateKeysStream = Pin<Box<dyn Stream<Item = Result<pb::RotateKeysResponse, Status>> + Send>>;

    async fn rotate_keys(
        &self,
        _: Request<pb::RotateKeysRequest>,
    ) -> Result<Response<Self::RotateKeysStream>, Status> {
        let steps = self.core.rotate_keys().await.map_err(Refused::from)?;
        let messages = steps.map(|step| match step {
            Ok(step) => Ok(rotation_message(step)),
            Err(error) => Err(Refused::from(error).into()),
        });
        Ok(Response::new(Box::pin(messages)))
    }

    async fn forget_texts(
        &self,
        _: Request<pb::ForgetTextsRequest>,
    ) -> Result<Response<pb::ForgetTextsResponse>, Status> {
        let ForgottenTexts { drafts, runs } = self.core.forget_texts().await.map_err(Refused::from)?;
        Ok(Response::new(pb::ForgetTextsResponse { drafts, runs }))
    }

    async fn retire_key(
        &self,
        request: Request<pb::RetireKeyRequest>,
    ) -> Result<Response<pb::RetireKeyResponse>, Status> {
        let id = key_id(request.into_inner().id)?;
        let key = self.core.retire_key(id).await.map_err(Refused::from)?;
        Ok(Response::new(pb::RetireKeyResponse { key: Some(key_message(key)) }))
    }
}
