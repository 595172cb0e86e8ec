//! Access to a Core that serves over a network.

use std::sync::Arc;

use querybox_contracts::core::v1 as pb;
use tonic::{Request, Response, Status};

use crate::{auth::Access, status::Refused};

pub(crate) struct AccessTo {
    access: Arc<Access>,
}

impl AccessTo {
    pub(crate) fn new(access: Arc<Access>) -> Self {
        Self { access }
    }
}

#[tonic::async_trait]
impl pb::access_service_server::AccessService for AccessTo {
    async fn trade_code(
        &self,
        request: Request<pb::TradeCodeRequest>,
    ) -> Result<Response<pb::TradeCodeResponse>, Status> {
        let token = self.access.trade_code(&request.into_inner().code).map_err(Refused::from)?;
        Ok(Response::new(pb::TradeCodeResponse { token }))
    }

    async fn make_code(
        &self,
        _: Request<pb::MakeCodeRequest>,
    ) -> Result<Response<pb::MakeCodeResponse>, Status> {
        let (code, life) = self.access.make_code();
        let life = prost_types::Duration::try_from(life).ok();
        Ok(Response::new(pb::MakeCodeResponse { code, life }))
    }

    async fn get_server(
        &self,
        _: Request<pb::GetServerRequest>,
    ) -> Result<Response<pb::GetServerResponse>, Status> {
        Ok(Response::new(pb::GetServerResponse { version: env!("CARGO_PKG_VERSION").to_owned() }))
    }
}
