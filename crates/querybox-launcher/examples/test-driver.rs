//! A driver without a database, for the launcher's tests: the statement says how it behaves. It is written against the
//! contract alone, as a driver in another language would be.
#![expect(clippy::print_stdout, reason = "`info` prints")]
#![expect(clippy::print_stderr, reason = "drivers write there")]

use std::{
    env, fs, io,
    pin::Pin,
    process::{abort, exit},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use querybox_contracts::plugin::v1::{
    self as pb,
    driver_service_server::{DriverService, DriverServiceServer},
    execute_response::Part,
    open_response::Outcome,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
    sync::{Notify, mpsc},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::server::Connected};
use tonic_types::{ErrorDetails, StatusExt};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    match env::args().nth(1).as_deref() {
        Some("info") => println!("{}", serde_json::to_string(&info()).expect("an info is JSON")),
        Some("serve") => {
            serve().await.expect("descriptor 0 is a socket");
            while STAYS.load(Ordering::Relaxed) {
                thread::park();
            }
        }
        other => panic!("{other:?} is not `info` or `serve`"),
    }
}

/// The process does not end when its socket closes.
static STAYS: AtomicBool = AtomicBool::new(false);
/// Something runs that a cancel finds.
static WAITS: AtomicBool = AtomicBool::new(false);

fn info() -> pb::PluginInfo {
    pb::PluginInfo {
        name: "Test".to_owned(),
        driver_type: "test".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        contract_version: 1,
        network_need: pb::NetworkNeed::None.into(),
        file_need: pb::FileNeed::None.into(),
        connection_form: form(),
        ..pb::PluginInfo::default()
    }
}

/// A field for each role that matters to Core. It reads none but `open` and the password.
fn form() -> Vec<pb::FormField> {
    use pb::{FormFieldKind as Kind, FormFieldRole as Role};

    let field = |name: &str, kind: Kind, role: Role| pb::FormField {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: kind.into(),
        role: role.into(),
        ..pb::FormField::default()
    };
    let port = field("port", Kind::Number, Role::Port);
    vec![
        field("open", Kind::Text, Role::Option),
        field("host", Kind::Text, Role::Host),
        pb::FormField { default_value: "7000".to_owned(), ..port },
        field("user", Kind::Text, Role::User),
        pb::FormField { secret: true, ..field("password", Kind::Password, Role::Password) },
        field("database", Kind::Text, Role::Database),
        field("tls", Kind::Text, Role::Tls),
        field("roots", Kind::Text, Role::Tls),
    ]
}

async fn serve() -> io::Result<()> {
    let socket = std::os::unix::net::UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    let closed = CancellationToken::new();
    let socket = Watched { socket: UnixStream::from_std(socket)?, _closed: closed.clone().drop_guard() };
    let incoming = stream::once(async { Ok::<_, io::Error>(socket) }).chain(stream::pending());
    tonic::transport::Server::builder()
        .add_service(DriverServiceServer::new(TestDriver::default()))
        .serve_with_incoming_shutdown(incoming, closed.cancelled())
        .await
        .map_err(io::Error::other)
}

#[derive(Default)]
struct TestDriver {
    cancelled: Arc<Notify>,
}

type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl DriverService for TestDriver {
    type ExecuteStream = Parts<pb::ExecuteResponse>;
    type GetSchemaStream = Parts<pb::GetSchemaResponse>;
    type GetDdlStream = Parts<pb::GetDdlResponse>;
    type WatchSessionStream = Parts<pb::WatchSessionResponse>;
    type TestConnectionStream = Parts<pb::TestConnectionResponse>;

    async fn open(&self, request: Request<pb::OpenRequest>) -> Result<Response<pb::OpenResponse>, Status> {
        let request = request.into_inner();
        let wanted = request.parameters.iter().find(|parameter| parameter.name == "open");
        let text = match wanted.and_then(|parameter| parameter.value.clone()) {
            Some(pb::parameter::Value::Text(text)) => text,
            Some(pb::parameter::Value::Content(_)) | None => String::new(),
        };
        let password = request.credential.unwrap_or_default().fields.pop();
        match (text.as_str(), password) {
            ("hang", _) => std::future::pending().await,
            ("refused", _) => Err(failure("CONNECT_FAILED", "nobody listens there")),
            ("", Some(password)) if password.value != "right".as_bytes() => {
                let rejection = pb::Rejection {
                    sqlstate: "28P01".to_owned(),
                    message: "wrong password".to_owned(),
                    ..pb::Rejection::default()
                };
                Ok(Response::new(pb::OpenResponse { outcome: Some(Outcome::Rejection(rejection)) }))
            }
            _ => {
                let server = pb::ServerFacts { product: "Test".to_owned(), ..pb::ServerFacts::default() };
                let opened = pb::Opened { server: Some(server), ..pb::Opened::default() };
                Ok(Response::new(pb::OpenResponse { outcome: Some(Outcome::Opened(opened)) }))
            }
        }
    }

    async fn execute(
        &self,
        request: Request<pb::ExecuteRequest>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let (parts, stream) = mpsc::channel(1);
        let cancelled = Arc::clone(&self.cancelled);
        let script = request.into_inner().sql;
        // A thread of its own, as a driver of a blocking library has; it ends with the process.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(run(&script, &parts, &cancelled));
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn get_schema(
        &self,
        _request: Request<pb::GetSchemaRequest>,
    ) -> Result<Response<Self::GetSchemaStream>, Status> {
        let schema = pb::Schema { name: "main".to_owned(), ..pb::Schema::default() };
        let object = pb::SchemaObject { object: Some(pb::schema_object::Object::Schema(schema)) };
        let part = pb::GetSchemaResponse { objects: vec![object], rejection: None };
        Ok(Response::new(Box::pin(stream::iter([Ok(part)]))))
    }

    async fn send_copy_data(
        &self,
        _: Request<pb::SendCopyDataRequest>,
    ) -> Result<Response<pb::SendCopyDataResponse>, Status> {
        Err(Status::unimplemented("nothing here asks for data"))
    }

    async fn watch_session(
        &self,
        _: Request<pb::WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        Err(Status::unimplemented("nothing happens here"))
    }

    async fn get_ddl(
        &self,
        request: Request<pb::GetDdlRequest>,
    ) -> Result<Response<Self::GetDdlStream>, Status> {
        let ddl = |(object, of): (usize, pb::ObjectRef)| pb::Ddl {
            object: u32::try_from(object).expect("a request names few objects"),
            sql: format!("make {};\n", of.name),
            found: Some(of),
            ..pb::Ddl::default()
        };
        let ddl = request.into_inner().objects.into_iter().enumerate().map(ddl).collect();
        let part = pb::GetDdlResponse { ddl, rejection: None };
        Ok(Response::new(Box::pin(stream::iter([Ok(part)]))))
    }

    async fn cancel(
        &self,
        _request: Request<pb::CancelRequest>,
    ) -> Result<Response<pb::CancelResponse>, Status> {
        self.cancelled.notify_waiters();
        let outcome = match WAITS.load(Ordering::Relaxed) {
            true => pb::CancelOutcome::Requested,
            false => pb::CancelOutcome::NothingRuns,
        };
        Ok(Response::new(pb::CancelResponse { outcome: outcome.into() }))
    }

    async fn test_connection(
        &self,
        _request: Request<pb::TestConnectionRequest>,
    ) -> Result<Response<Self::TestConnectionStream>, Status> {
        let passed = |stage: pb::TestStage| {
            Ok(pb::TestConnectionResponse {
                stage: stage.into(),
                outcome: Some(pb::test_connection_response::Outcome::Passed(pb::TestPassed::default())),
                ..pb::TestConnectionResponse::default()
            })
        };
        Ok(Response::new(Box::pin(stream::iter([
            passed(pb::TestStage::Dial),
            passed(pb::TestStage::Version),
        ]))))
    }
}

async fn run(script: &str, parts: &mpsc::Sender<Result<pb::ExecuteResponse, Status>>, cancelled: &Notify) {
    let send = async |part| {
        // Nobody listens any more: the process ends soon.
        let _ = parts.send(Ok(pb::ExecuteResponse { part: Some(part) })).await;
    };
    let number = |text: &str| text.parse::<usize>().expect("the test gives a number");
    let cancellation = cancelled.notified();
    WAITS.store(script.contains("wait"), Ordering::Relaxed);
    send(header(0)).await;
    match script.split(' ').collect::<Vec<_>>().as_slice() {
        ["rows", count] => {
            for _ in 0..number(count) {
                send(batch()).await;
            }
            send(summary(number(count) as u64)).await;
        }
        ["wait"] => {
            cancellation.await;
            send(rejection("interrupted")).await;
        }
        ["wait", "stay"] => {
            STAYS.store(true, Ordering::Relaxed);
            cancellation.await;
            send(rejection("interrupted")).await;
        }
        ["wait", "deaf"] => std::future::pending().await,
        // As a script does that goes on after what the database refuses.
        ["refused", "wait", "deaf"] => {
            send(rejection("no such table")).await;
            send(header(1)).await;
            std::future::pending().await
        }
        ["refused"] => send(rejection("no such table")).await,
        ["exit", code] => exit(i32::try_from(number(code)).expect("a code is small")),
        ["abort"] => abort(),
        ["fail"] => {
            let _ = parts.send(Err(failure("CONNECTION_LOST", "the server \u{1b}[31mwent away"))).await;
        }
        ["lie"] => send(summary(7)).await,
        ["vanish"] => {}
        ["shout", megabytes] => {
            for _ in 0..number(megabytes) * 1024 {
                eprint!("{}", "x".repeat(1023) + "\n");
            }
            eprintln!("\u{1b}[2Jlast line");
            send(summary(0)).await;
        }
        ["allocate", megabytes] => {
            let mut memory = vec![0_u8; number(megabytes) << 20];
            memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
            send(summary(0)).await;
            std::hint::black_box(memory);
        }
        ["write", path, bytes] => {
            fs::write(path, vec![0; number(bytes)]).expect("the file can be written");
            send(summary(0)).await;
        }
        other => panic!("{other:?} is not known"),
    }
}

fn header(statement: u32) -> Part {
    let column =
        pb::Column { name: "n".to_owned(), display: pb::Display::Text.into(), ..pb::Column::default() };
    Part::Header(pb::Header {
        statement,
        returns_rows: true,
        arrow_schema: "schema".into(),
        columns: vec![column],
        ..pb::Header::default()
    })
}

fn rejection(message: &str) -> Part {
    Part::Rejection(pb::Rejection { message: message.to_owned(), ..pb::Rejection::default() })
}

fn batch() -> Part {
    let arrow_body = vec![0; 128 << 10].into();
    Part::Batch(pb::Batch { row_count: 1, arrow_metadata: "batch".into(), arrow_body, notes: Vec::new() })
}

fn summary(rows: u64) -> Part {
    let elapsed = Duration::from_millis(1).try_into().ok();
    Part::Summary(pb::Summary { rows, elapsed, ..pb::Summary::default() })
}

fn failure(reason: &str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, "querybox", std::collections::HashMap::new());
    Status::with_error_details(tonic::Code::Unavailable, message, details)
}

/// The one connection. When it is dropped, the socket was closed.
struct Watched {
    socket: UnixStream,
    _closed: tokio_util::sync::DropGuard,
}

impl Connected for Watched {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
