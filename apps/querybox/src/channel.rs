//! What generated clients speak through: Core's services, in this process or in a server's.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use querybox_api::Api;
use querybox_core::Core;
use tonic::{body::Body, transport};
use tower::Service;

/// Core's services. Clones are cheap and share it.
#[derive(Debug, Clone)]
pub(crate) struct Channel(Place);

#[derive(Debug, Clone)]
enum Place {
    Here(Api),
    There { channel: transport::Channel, authorization: HeaderValue },
}

impl Channel {
    /// Core in this process, which asks nobody who he is.
    pub(crate) fn here(core: Arc<Core>) -> Channel {
        Channel(Place::Here(Api::new(core)))
    }

    /// A server's, which is shown `authorization` with each call.
    pub(crate) fn there(channel: transport::Channel, authorization: HeaderValue) -> Channel {
        Channel(Place::There { channel, authorization })
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = transport::Error;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), transport::Error>> {
        match &mut self.0 {
            Place::Here(api) => match Service::<Request<Body>>::poll_ready(api, cx) {
                Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            },
            Place::There { channel, .. } => channel.poll_ready(cx),
        }
    }

    fn call(&mut self, mut request: Request<Body>) -> Answering {
        match &mut self.0 {
            Place::Here(api) => {
                let answering = api.call(request);
                Answering(Box::pin(async move {
                    match answering.await {
                        Ok(answer) => Ok(answer),
                    }
                }))
            }
            Place::There { channel, authorization } => {
                request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
                Answering(Box::pin(channel.call(request)))
            }
        }
    }
}

/// An answer that is to come.
pub(crate) struct Answering(BoxFuture<'static, Result<Response<Body>, transport::Error>>);

impl Future for Answering {
    type Output = Result<Response<Body>, transport::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}
