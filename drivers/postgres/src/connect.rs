//! From parameters to a session: resolve, dial, TLS, log-in, set-up.

use std::{net::SocketAddr, time::Duration};

use postgres_protocol::{
    escape::escape_identifier,
    message::{backend::Message, frontend},
};
use querybox_plugin::{Endpoint, Error, Open, OpenError, Reason, Stages, Stream, dial_resolved, pb, resolve};
use tokio::time::{Instant, timeout_at};

use crate::{
    auth::{answer, authenticate},
    cancel::{Canceller, Key},
    connection::{Access, Connection},
    options::{Options, Server},
    read_only,
    script::{self, Statements},
    session::PostgresSession,
    settings::{Looks, Reported},
    target::{self, Target},
    wire::{Transport, Wire},
};

/// The server looks so often whether its client is still there while it works, so that the query of a driver that was
/// killed ends.
const CLIENT_CHECK: &str = "SET client_connection_check_interval = '2s'";
/// The version that has it.
const CLIENT_CHECK_SINCE: u32 = 14;
/// In a database of no known encoding the server would refuse to send whatever is not UTF-8.
const BYTES_AS_THEY_ARE: &str = "SET client_encoding TO 'SQL_ASCII'";
/// What a server is waited for.
const LOG_IN: &str = "the log-in";
/// In this order [`Looks::new`] takes them.
pub(crate) const LOOKS: &str =
    "pg_catalog.current_setting('extra_float_digits'), pg_catalog.current_setting('bytea_output')";

/// Opens a session with the first server that will do.
pub(crate) async fn open(open: &Open) -> Result<PostgresSession, OpenError> {
    let options = Options::parse(open)?;
    let deadline = Instant::now() + open.connect_limit;
    let work = if open.startup_sql.is_empty() { LOG_IN } else { "the log-in and the start-up SQL" };
    let session = within(open.connect_limit, deadline, work, any(&options, open, deadline)).await?.session;
    if open.connections_max <= 1 {
        return Ok(session);
    }
    // The password is kept here alone, where further connections are to be opened.
    let reserve = Reserve {
        options,
        session_id: open.session_id.clone(),
        access: access(open),
        connect_limit: open.connect_limit,
        connections_max: open.connections_max,
    };
    Ok(session.with(reserve))
}

/// What further connections are opened with beside a session's own.
pub(crate) struct Reserve {
    options: Options,
    session_id: String,
    access: Access,
    connect_limit: Duration,
    /// Connections that the session may have in all.
    pub(crate) connections_max: u32,
}

impl Reserve {
    /// Who logs in.
    pub(crate) fn user(&self) -> &str {
        &self.options.user
    }

    /// Time that one of them has until it can be used.
    pub(crate) fn connect_limit(&self) -> Duration {
        self.connect_limit
    }
}

/// Opens a connection beside a session's own, to the same server, with no setting of the session.
pub(crate) async fn beside(
    reserve: &Reserve,
    session: &Canceller,
) -> Result<(Connection, Canceller), OpenError> {
    let Reserve { options, session_id, access, connect_limit, .. } = reserve;
    let deadline = Instant::now() + *connect_limit;
    within(*connect_limit, deadline, LOG_IN, async {
        let server = &session.server;
        let stream = dial_resolved(&server.endpoint, &session.addresses, deadline).await?;
        let transport = server.tls.secure(stream).await?;
        let (connection, key) = log_in(transport, options, server, session_id, *access).await?;
        Ok((connection, Canceller { key, ..session.clone() }))
    })
    .await
}

fn access(open: &Open) -> Access {
    if open.read_only { Access::ReadOnly } else { Access::ReadWrite }
}

/// Opens a session stage by stage, to tell how far it came. Of several servers the one that a session would be opened with
/// is told of, or the last one.
pub(crate) async fn test(open: &Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
    let options = Options::parse(open)?;
    let deadline = Instant::now() + open.connect_limit;
    within(open.connect_limit, deadline, LOG_IN, async {
        let (mut server, mut target) = (options.servers.last(), options.target);
        if options.servers.len() > 1
            && let Ok(opened) = any(&options, open, target::share(deadline, 2)).await
        {
            (server, target) = (Some(opened.server), opened.target);
        }
        let server = server.expect("a connection has a server");
        let attempt = Attempt { options: &options, server, target, open, deadline };
        attempt.told(stages).await
    })
    .await
}

/// A session, and what was found.
struct Opened<'a> {
    session: PostgresSession,
    server: &'a Server,
    target: Target,
}

/// Tries the servers in turn.
async fn any<'a>(options: &'a Options, open: &Open, deadline: Instant) -> Result<Opened<'a>, OpenError> {
    let servers = options.servers.len();
    let rounds = options.target.rounds();
    let mut left = servers * rounds.len();
    let mut failures = Vec::new();
    for &target in rounds {
        for server in &options.servers {
            let deadline = if left == 1 { deadline } else { target::share(deadline, left) };
            left -= 1;
            let attempt = Attempt { options, server, target, open, deadline };
            // The only one has all the time there is, and whoever looks at that tells when it is over.
            let is_only = servers == 1 && left == 0;
            let tried = match is_only {
                true => Ok(attempt.quiet().await),
                false => timeout_at(deadline, attempt.quiet()).await,
            };
            let error = match tried {
                Ok(Ok(session)) => return Ok(Opened { session, server, target }),
                Ok(Err(error)) if is_only || !target::goes_on(&error) => return Err(error),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            failures.push(format!("{}: {error}", server.endpoint));
        }
    }
    let message = format!("none of {servers} servers will do: {}", failures.join("; "));
    Err(Error::new(Reason::ConnectFailed, message).into())
}

/// One way to open a session.
struct Attempt<'a> {
    options: &'a Options,
    server: &'a Server,
    target: Target,
    open: &'a Open,
    deadline: Instant,
}

impl Attempt<'_> {
    async fn quiet(&self) -> Result<PostgresSession, OpenError> {
        let Self { server, deadline, .. } = *self;
        let addresses = resolve(&server.endpoint, deadline).await?;
        let stream = dial_resolved(&server.endpoint, &addresses, deadline).await?;
        let connected_to = peer(&stream);
        let transport = server.tls.secure(stream).await?;
        self.log_in(transport, connected_to).await
    }

    async fn told(&self, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
        let Self { server, deadline, .. } = *self;
        let addresses = match server.endpoint {
            Endpoint::Unix { .. } => Vec::new(),
            Endpoint::Tcp { .. } => {
                stages.begin(pb::TestStage::Resolve);
                let addresses = resolve(&server.endpoint, deadline).await?;
                let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
                stages.passed(shown.join(", ")).await;
                addresses
            }
        };

        stages.begin(pb::TestStage::Dial);
        let stream = dial_resolved(&server.endpoint, &addresses, deadline).await?;
        let connected_to = peer(&stream);
        let shown = connected_to.map_or_else(|| server.endpoint.to_string(), |peer| peer.to_string());
        stages.passed(shown).await;

        stages.begin(pb::TestStage::Tls);
        let transport = server.tls.secure(stream).await?;
        if let Some(version) = transport.tls_version() {
            stages.passed(version).await;
        }

        stages.begin(pb::TestStage::Login);
        let session = self.log_in(transport, connected_to).await?;
        stages.passed(format!("as {}", self.options.user)).await;

        stages.begin(pb::TestStage::Version);
        Ok(querybox_plugin::Session::server(&session))
    }

    async fn log_in(
        &self,
        transport: Transport,
        connected_to: Option<SocketAddr>,
    ) -> Result<PostgresSession, OpenError> {
        let Self { options, server, target, open, .. } = *self;
        let tls = transport.tls_version().unwrap_or_default().to_owned();
        let (mut connection, key) =
            log_in(transport, options, server, &open.session_id, access(open)).await?;
        target.check(&mut connection).await?;
        set_up(&mut connection, open).await?;

        let canceller =
            Canceller { server: server.clone(), addresses: connected_to.into_iter().collect(), key };
        let facts = pb::ServerFacts {
            product: "PostgreSQL".into(),
            version: connection.reported.version().to_owned(),
            user: match connection.reported.user() {
                "" => options.user.clone(),
                user => user.to_owned(),
            },
            database: options.database.clone(),
            tls,
        };
        Ok(PostgresSession::new(connection, canceller, facts))
    }
}

async fn within<T>(
    limit: Duration,
    deadline: Instant,
    work: &str,
    attempt: impl Future<Output = Result<T, OpenError>>,
) -> Result<T, OpenError> {
    timeout_at(deadline, attempt).await.unwrap_or_else(|_| {
        let message = format!("the server did not finish {work} within {limit:?}");
        Err(Error::new(Reason::ConnectFailed, message).into())
    })
}

fn peer(stream: &Stream) -> Option<SocketAddr> {
    match stream {
        Stream::Tcp(stream) => stream.peer_addr().ok(),
        Stream::Unix(_) => None,
    }
}

async fn log_in(
    transport: Transport,
    options: &Options,
    server: &Server,
    session_id: &str,
    access: Access,
) -> Result<(Connection, Option<Key>), OpenError> {
    let end_point = transport.end_point();
    let mut wire = Wire::new(transport);
    let application_name = format!("querybox {session_id}");
    let parameters = [
        ("user", options.user.as_str()),
        ("database", &options.database),
        ("application_name", &application_name),
        ("client_encoding", "UTF8"),
    ];
    frontend::startup_message(parameters, &mut wire.output)
        .map_err(|_| Error::broken("the log-in cannot be written"))?;
    wire.send().await?;
    authenticate(&mut wire, options, server, end_point).await?;
    greeting(wire, access).await
}

/// What the server says of itself after the log-in.
async fn greeting(mut wire: Wire, access: Access) -> Result<(Connection, Option<Key>), OpenError> {
    let mut reported = Reported::default();
    let mut key = None;
    loop {
        match answer(&mut wire).await? {
            Message::ParameterStatus(status) => {
                let malformed = |_| Error::protocol("a setting that the server reports is no text");
                reported.report(status.name().map_err(malformed)?, status.value().map_err(malformed)?);
            }
            Message::BackendKeyData(data) => {
                key = Some(Key { process_id: data.process_id(), secret: data.secret_key() });
            }
            Message::ReadyForQuery(_) => break,
            _ => return Err(crate::connection::out_of_order().into()),
        }
    }
    wire.trust();
    Ok((Connection::new(wire, reported, access), key))
}

/// Sets the session up, in one exchange where the server takes all.
async fn set_up(connection: &mut Connection, open: &Open) -> Result<(), OpenError> {
    let looks = format!("SELECT {LOOKS}");
    let settings = settings(&connection.reported, &open.default_schema)?;
    // All in one transaction at first: a pooler takes the connection away when one ends, together with what was sent behind.
    for Setting { command, .. } in &settings {
        connection.put_command(command)?;
    }
    connection.put_command(&looks)?;
    connection.put_sync();
    connection.wire.send().await?;
    let mut answer = connection.simple_answer(&looks).await;
    if answer.is_ok() {
        connection.defaults.extend(settings.into_iter().map(|setting| setting.command));
    } else if matches!(answer, Err(OpenError::Rejected(_))) && !connection.is_over {
        one_by_one(connection, settings).await?;
        answer = connection.simple(&looks).await;
    }
    connection.looks = match answer.as_deref() {
        Ok([Some(extra_float_digits), Some(bytea_output)]) => {
            Looks::new(connection.reported.major_version(), extra_float_digits, bytea_output)
        }
        // A server that only speaks like PostgreSQL may not know these: its floats and bytes then come as text.
        Err(OpenError::Rejected(_)) if !connection.is_over => Looks::Unavailable,
        Ok(_) => Looks::Unavailable,
        Err(_) => return answer.map(|_| ()),
    };
    if connection.access == Access::ReadOnly {
        read_only::check(connection).await?;
    }
    start_up(connection, &open.startup_sql).await
}

/// Makes settings of which the server refuses some.
async fn one_by_one(connection: &mut Connection, settings: Vec<Setting>) -> Result<(), OpenError> {
    for Setting { command, is_optional } in settings {
        let answer = connection.simple(&command).await;
        let is_taken = match answer {
            Err(OpenError::Rejected(_)) if is_optional && !connection.is_over => false,
            answer => answer.map(|_| true)?,
        };
        if is_taken {
            connection.defaults.push(command);
        }
    }
    Ok(())
}

/// A setting of the session that is not the user's.
struct Setting {
    command: String,
    /// The session can do without it.
    is_optional: bool,
}

fn settings(reported: &Reported, default_schema: &str) -> Result<Vec<Setting>, Error> {
    let mut settings = Vec::new();
    if reported.major_version() >= CLIENT_CHECK_SINCE {
        // A server on a system without the means refuses; its queries then end when they next write.
        settings.push(Setting { command: CLIENT_CHECK.to_owned(), is_optional: true });
    }
    if reported.has_unknown_encoding() {
        settings.push(Setting { command: BYTES_AS_THEY_ARE.to_owned(), is_optional: false });
    }
    if default_schema.contains('\0') {
        return Err(Error::parameter("default_schema", "has a zero byte in it"));
    }
    if !default_schema.is_empty() {
        let command = format!("SET search_path TO {}", escape_identifier(default_schema));
        settings.push(Setting { command, is_optional: false });
    }
    Ok(settings)
}

/// Runs the user's start-up script: each statement commits by itself, as in any script.
async fn start_up(connection: &mut Connection, script: &str) -> Result<(), OpenError> {
    if script.contains('\0') {
        return Err(Error::parameter("startup_sql", "has a zero byte in it").into());
    }
    let no_sql = |error| {
        let rejection = script::cannot_be_split(&error, 0, pb::TransactionState::Idle);
        OpenError::Rejected(Box::new(rejection))
    };
    let mut statements = Statements::new(script, &connection.reported).map_err(no_sql)?;
    while let Some(range) = statements.next(&connection.reported).map_err(no_sql)? {
        let start = u32::try_from(range.start).ok();
        let ran = match connection.access {
            Access::ReadWrite => connection.simple(&script[range]).await.map(|_| ()),
            Access::ReadOnly => read_only::run(connection, &script[range]).await,
        };
        ran.map_err(|error| match error {
            OpenError::Rejected(mut rejection) => {
                // Whoever reads it has asked for something else.
                rejection.context = format!("start-up SQL\n{}", rejection.context).trim_end().to_owned();
                rejection.position_byte = rejection
                    .position_byte
                    .zip(start)
                    .map(|(position, start)| position.saturating_add(start));
                OpenError::Rejected(rejection)
            }
            failed @ OpenError::Failed(_) => failed,
        })?;
        connection.looks = connection.looks.after_statement();
    }
    Ok(())
}
