//! All services together.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use querybox_contracts::core::v1::{
    access_service_server::AccessServiceServer, connection_service_server::ConnectionServiceServer,
    credential_service_server::CredentialServiceServer, draft_service_server::DraftServiceServer,
    event_service_server::EventServiceServer, history_service_server::HistoryServiceServer,
    key_service_server::KeyServiceServer, plugin_service_server::PluginServiceServer,
    query_service_server::QueryServiceServer, result_service_server::ResultServiceServer,
    schema_service_server::SchemaServiceServer, script_service_server::ScriptServiceServer,
    session_service_server::SessionServiceServer,
};
use querybox_core::Core;
use tonic::{body::Body, service::Routes};
use tower::Service;

use crate::{
    auth::Access,
    services::{
        AccessTo, Connections, Credentials, Drafts, Events, History, Keys, Plugins, Queries, Results,
        Schemas, Scripts, Sessions,
    },
};

/// The largest message of a result, which is one batch: the contract has drivers cut at 256 KiB, but a batch holds at least
/// one row, and a row may hold several cells of 16 MiB. The launcher takes no larger one from a driver either.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// The largest request. A script is what makes one large: people paste dumps.
pub const REQUEST_BYTES_MAX: usize = 64 << 20;

/// Every service of `querybox.core.v1` on one Core, as one tower service. Clones are cheap and share it.
///
/// A client on it needs no socket; it has to raise its own limit with `max_decoding_message_size(MESSAGE_BYTES_MAX)`.
#[derive(Debug, Clone)]
pub struct Api {
    routes: Routes,
}

impl Api {
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { routes: services(core).prepare() }
    }

    /// The services and that which gives access to them, for a server, which may add services of its own. They ask nobody who
    /// he is: a [`Guard`](crate::Guard) with the same `access` belongs before all that the server offers.
    #[must_use]
    pub fn routes(core: Arc<Core>, access: Arc<Access>) -> Routes {
        services(core).add_service(AccessServiceServer::new(AccessTo::new(access)))
    }
}

fn services(core: Arc<Core>) -> Routes {
    Routes::new(
        ConnectionServiceServer::new(Connections::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        CredentialServiceServer::new(Credentials::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        DraftServiceServer::new(Drafts::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        HistoryServiceServer::new(History::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        KeyServiceServer::new(Keys::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        PluginServiceServer::new(Plugins::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        SchemaServiceServer::new(Schemas::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        ScriptServiceServer::new(Scripts::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        SessionServiceServer::new(Sessions::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        EventServiceServer::new(Events::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        ResultServiceServer::new(Results::new(Arc::clone(&core)))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        QueryServiceServer::new(Queries::new(core))
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
}

impl Service<Request<Body>> for Api {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Routes as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.routes, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.routes.call(request)
    }
}
