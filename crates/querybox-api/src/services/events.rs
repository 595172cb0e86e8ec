//! What happens to what front ends hold.

use std::sync::Arc;

use futures::{StreamExt as _, stream::BoxStream};
use querybox_contracts::core::v1 as pb;
use querybox_core::Core;
use tonic::{Request, Response, Status};

use crate::{
    convert::{event_message, front_end},
    status::Refused,
};

pub(crate) struct Events {
    core: Arc<Core>,
}

impl Events {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl pb::event_service_server::EventService for Events {
    type WatchEventsStream = BoxStream<'static, Result<pb::WatchEventsResponse, Status>>;

    async fn watch_events(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let front_end = front_end(&request.into_inner().front_end_id)?;
        let events = self.core.watch_events(front_end).map_err(Refused::from)?;
        Ok(Response::new(events.map(|event| Ok(event_message(event))).boxed()))
    }
}
