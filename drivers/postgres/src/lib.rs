//! The PostgreSQL driver.
//!
//! It speaks protocol 3.0 over a connection of its own: each statement is described first, and then each column is asked
//! for in the format that is exact: binary where an Arrow type holds every value, the server's own text elsewhere. Rows go
//! from the read buffer into the SDK's builders without a copy between.
//!
//! It reads nothing ambient: no `PG*` variables, `.pgpass`, service files or home folder.
//!
//! Must not know: Core, how a value looks on a screen.

mod auth;
mod berth;
mod bindings;
mod cancel;
mod connect;
mod connection;
mod copy;
mod decode;
mod driver;
mod execute;
mod keywords;
mod message;
mod notifications;
mod options;
mod read_only;
mod rejection;
mod savepoint;
mod schema;
mod script;
mod session;
mod settings;
mod target;
mod tls;
mod types;
mod wire;

pub use driver::Postgres;
