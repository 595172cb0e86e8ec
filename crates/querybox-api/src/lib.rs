//! The gRPC services of Core as one tower service.
//!
//! - [`Api`]: every service of `querybox.core.v1`, for any transport or for none: generated clients take it as it is.
//! - [`MESSAGE_BYTES_MAX`]: what clients must set as their own limit.
//! - [`REQUEST_BYTES_MAX`]: what clients need not try to send.
//!
//! What rows are in messages, [`read_header`] and [`read_batch`] give to the renderer; [`read_export_format`] tells it how they
//! are to be written.
//!
//! For a network, [`Api::routes`] has also what gives access, and stands behind [`Guard`], which lets in whom [`Access`] knows.
//!
//! It maps messages to Core's plain types and back, and errors to statuses, in one place each. Parts of results pass through
//! as their bytes are, unless they are kept. Must not know: drivers, SQL, sockets, TLS, which front end asks.
//!
//! ```no_run
//! # async fn tour(core: std::sync::Arc<querybox_core::Core>) -> Result<(), tonic::Status> {
//! use querybox_contracts::core::v1 as pb;
//!
//! let api = querybox_api::Api::new(core);
//! let mut connections = pb::connection_service_client::ConnectionServiceClient::new(api);
//! let all = connections.list_connections(pb::ListConnectionsRequest {}).await?.into_inner().connections;
//! # let _ = all;
//! # Ok(())
//! # }
//! ```

mod api;
mod auth;
mod convert;
mod policy;
mod rows;
mod services;
mod status;

pub use api::{Api, MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX};
pub use auth::{Access, Guard, GuardLayer, HostNames, NotAHost, Scheme};
pub use convert::{InvalidField, read_export_format};
pub use rows::{read_batch, read_column, read_header};
