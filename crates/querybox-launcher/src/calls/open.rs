//! Opening a session.

use std::time::Duration;

use querybox_contracts::plugin::v1 as pb;
use querybox_vault::Secret;

use crate::calls::failure::readable;

/// What a driver needs to open a session. Its `Debug` shows no secret, for [`Secret`] shows none.
#[derive(Debug)]
pub struct OpenOrder {
    /// A UUIDv7 in its canonical text form.
    pub session_id: String,
    /// The parameters of the connection that are no secrets.
    pub parameters: Vec<Parameter>,
    /// The secrets, by the names of their fields.
    pub credential: Vec<(String, Secret)>,
    /// Whether the database refuses every write.
    pub read_only: bool,
    /// A script that runs before anything else. Empty: none.
    pub startup_sql: String,
    /// The schema in which unqualified names are looked up. Empty: the database's own.
    pub default_schema: String,
    /// Connections that one statement may read over at the same time.
    pub connections_max: u32,
    /// Time for resolving, dialing, TLS and log-in together.
    pub connect_limit: Duration,
    /// Memory that the process may use, so that it can size its caches.
    pub memory_bytes_max: u64,
    /// The largest value that is sent whole.
    pub cell_bytes_max: u64,
}

/// One parameter of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: ParameterValue,
}

/// What a parameter holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// Text as the field's kind says.
    Text(String),
    /// The content of a file other than the database's.
    Content(Vec<u8>),
}

/// What the driver learned of the server. A field that is empty is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// The product.
    pub product: String,
    /// Its version in its own words.
    pub version: String,
    /// The user that the database sees.
    pub user: String,
    /// The database that is open.
    pub database: String,
    /// How the connection is protected.
    pub tls: String,
}

impl OpenOrder {
    pub(crate) fn into_request(self) -> pb::OpenRequest {
        let credential = (!self.credential.is_empty())
            .then(|| pb::Credential { fields: self.credential.into_iter().map(into_secret_field).collect() });
        pb::OpenRequest {
            session_id: self.session_id,
            parameters: self.parameters.into_iter().map(into_parameter).collect(),
            credential,
            options: Some(pb::OpenOptions {
                read_only: self.read_only,
                startup_sql: self.startup_sql,
                default_schema: self.default_schema,
                connections_max: self.connections_max,
            }),
            limits: Some(pb::Limits {
                connect: self.connect_limit.try_into().ok(),
                memory_bytes: self.memory_bytes_max,
                cell_bytes: self.cell_bytes_max,
            }),
        }
    }
}

fn into_parameter(parameter: Parameter) -> pb::Parameter {
    let value = match parameter.value {
        ParameterValue::Text(text) => pb::parameter::Value::Text(text),
        ParameterValue::Content(content) => pb::parameter::Value::Content(content.into()),
    };
    pb::Parameter { name: parameter.name, value: Some(value) }
}

/// The clear text is needed here and nowhere else in this crate: it goes into the message for the driver's socket. What
/// gRPC copies of it on the way is wiped by Core's allocator, which zeroes all that is freed.
fn into_secret_field((name, secret): (String, Secret)) -> pb::SecretField {
    pb::SecretField { name, value: secret.expose().to_vec().into() }
}

impl From<pb::ServerFacts> for ServerFacts {
    fn from(facts: pb::ServerFacts) -> Self {
        Self {
            product: readable(&facts.product),
            version: readable(&facts.version),
            user: readable(&facts.user),
            database: readable(&facts.database),
            tls: readable(&facts.tls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_and_its_request_print_no_secret() {
        let order = OpenOrder {
            session_id: "0199".to_owned(),
            parameters: Vec::new(),
            credential: vec![("password".to_owned(), Secret::from("canary-41".to_owned()))],
            read_only: true,
            startup_sql: String::new(),
            default_schema: String::new(),
            connections_max: 1,
            connect_limit: Duration::from_secs(10),
            memory_bytes_max: 1,
            cell_bytes_max: 1,
        };
        assert!(!format!("{order:?}").contains("canary"));
        let request = order.into_request();
        assert!(!format!("{request:?}").contains("canary"));
        assert_eq!(request.credential.unwrap().fields[0].value, "canary-41".as_bytes());
    }
}
