//! The one place that lets calls in.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use querybox_contracts::core::v1::Policy;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use super::{
    Access, AccessError,
    calls::{Held, Place},
};
use crate::{policy, status::Refused};

/// Puts a [`Guard`] before a service.
#[derive(Debug, Clone)]
pub struct GuardLayer(Arc<Access>);

impl GuardLayer {
    #[must_use]
    pub fn new(access: Arc<Access>) -> Self {
        Self(access)
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { access: Arc::clone(&self.0), inner }
    }
}

/// Lets those calls pass that may: by a name of ours, from no page or one of ours, and with the token unless the path's policy
/// is that anyone may.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    access: Arc<Access>,
    inner: S,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for Guard<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>, Error = Infallible>,
    S::Future: Send + 'static,
    ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    ResponseBody::Error: Into<tonic::codegen::StdError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let entered = self.access.enter(&request);
        // What let a call in is nothing for those behind.
        request.headers_mut().remove(header::AUTHORIZATION);
        let place = match entered {
            Ok(place) => place,
            Err(error) => {
                tracing::info!(path = %request.uri().path(), %error, "call refused");
                let answer = refusal(error, request.headers());
                return Box::pin(std::future::ready(Ok(answer)));
            }
        };
        let answering = self.inner.call(request);
        Box::pin(async move {
            let answer = answering.await?;
            Ok(answer.map(|body| Body::new(Held { body: Body::new(body), _place: place })))
        })
    }
}

impl Access {
    /// Whether a call may come in. Those that need no token are short and have no place.
    fn enter<B>(&self, request: &Request<B>) -> Result<Option<Place>, AccessError> {
        self.names.check(request)?;
        match policy::of_path(request.uri().path(), self.open) {
            Policy::Anyone => Ok(None),
            Policy::Owner => {
                self.check_token(request.headers())?;
                self.calls.enter().map(Some)
            }
            Policy::Unspecified => Err(AccessError::TokenWrong),
        }
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), AccessError> {
        let mut shown = headers.get_all(header::AUTHORIZATION).into_iter();
        let (first, more) = (shown.next(), shown.next());
        let first = first.ok_or(AccessError::TokenMissing)?;
        // The word is of any case, as HTTP has it.
        let token = first
            .as_bytes()
            .split_at_checked(b"Bearer ".len())
            .and_then(|(word, token)| word.eq_ignore_ascii_case(b"Bearer ").then_some(token));
        let is_ours = token.is_some_and(|token| self.token.is(token));
        (is_ours && more.is_none()).then_some(()).ok_or(AccessError::TokenWrong)
    }
}

/// The answer to a call that is refused: in gRPC to whoever speaks it, otherwise a line of text.
fn refusal(error: AccessError, asked: &HeaderMap) -> Response<Body> {
    let status = Status::from(Refused::from(error));
    let content_type = asked.get(header::CONTENT_TYPE);
    let speaks_grpc = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let mut answer = if speaks_grpc {
        let mut answer = status.into_http::<Body>();
        if let Some(content_type) = content_type {
            // gRPC-web has types of its own; its status too may stand in the headers when nothing else is said.
            answer.headers_mut().insert(header::CONTENT_TYPE, content_type.clone());
        }
        answer
    } else {
        let mut answer = Response::new(Body::new(format!("{}\n", status.message())));
        *answer.status_mut() = match status.code() {
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::ResourceExhausted => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        };
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if status.code() == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    };
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
