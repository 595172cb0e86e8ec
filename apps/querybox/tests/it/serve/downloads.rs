//! Exports as files, fetched as a browser fetches them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use querybox_contracts::core::v1::{
    self as pb, export_order::Format, result_service_client::ResultServiceClient, run_request::Target,
    session_service_client::SessionServiceClient,
};
use rustix::process::Signal;
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use uuid::Uuid;

use super::server::{PATIENCE, Server};
use crate::house::{ENDLESS, House, within};

/// Shows the token with each call.
#[derive(Clone)]
struct Token(String);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.0).parse().unwrap());
        Ok(request)
    }
}

type Calls = InterceptedService<Channel, Token>;

/// A page of the server, as far as it asks for results.
struct Page {
    runtime: tokio::runtime::Runtime,
    results: ResultServiceClient<Calls>,
    sessions: SessionServiceClient<Calls>,
}

impl Page {
    fn open(server: &Server) -> Page {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Channel::from_shared(server.url()).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        let token = Token(server.token.clone());
        Page {
            runtime,
            results: ResultServiceClient::with_interceptor(channel.clone(), token.clone()),
            sessions: SessionServiceClient::with_interceptor(channel, token),
        }
    }

    /// Runs a script whose result is kept.
    fn run(&self, sql: &str) -> String {
        let name = Some(pb::connection_ref::Key::Name("shop".to_owned()));
        let unlimited = pb::Deadline { limit: Some(pb::deadline::Limit::None(pb::NoDeadline {})) };
        let request = pb::RunRequest {
            result_id: Uuid::now_v7().to_string(),
            target: Some(Target::Connection(pb::ConnectionRef { key: name })),
            sql: sql.to_owned(),
            options: Some(pb::ExecuteOptions { deadline: Some(unlimited), ..pb::ExecuteOptions::default() }),
            ..pb::RunRequest::default()
        };
        let id = request.result_id.clone();
        self.runtime.block_on(self.results.clone().run(request)).unwrap();
        id
    }

    fn attach(&self, id: &str) -> pb::Result {
        let request =
            pb::AttachResultRequest { result_id: id.to_owned(), ..pb::AttachResultRequest::default() };
        let attached = self.runtime.block_on(self.results.clone().attach_result(request)).unwrap();
        attached.into_inner().result.unwrap()
    }

    fn is_running(&self, id: &str) -> bool {
        self.attach(id).state() == pb::ResultState::Running
    }

    /// Waits until the first statement has rows, and for all to end when they are to.
    fn wait(&self, id: &str, for_end: bool) {
        within(PATIENCE, "the statement has rows", || {
            let result = self.attach(id);
            let has_rows = result.statements.first().is_some_and(|statement| statement.row_count > 0);
            has_rows && (!for_end || result.state() == pb::ResultState::Done)
        });
    }

    /// A ticket for the first statement.
    fn ticket(&self, id: &str, format: Format, file_name: &str) -> Result<String, Status> {
        let order =
            pb::ExportOrder { result_id: id.to_owned(), format: Some(format), ..pb::ExportOrder::default() };
        let request = pb::MakeDownloadRequest { order: Some(order), file_name: file_name.to_owned() };
        let made = self.runtime.block_on(self.results.clone().make_download(request))?.into_inner();
        assert_eq!((made.ticket.len(), made.good_for.unwrap().seconds), (43, 60));
        Ok(format!("/download?ticket={}", made.ticket))
    }

    fn cancel(&self, id: &str) {
        let request = pb::CancelSessionRequest { session_id: id.to_owned() };
        self.runtime.block_on(self.sessions.clone().cancel_session(request)).unwrap();
    }
}

fn csv() -> Format {
    Format::Csv(pb::CsvFormat::default())
}

/// What came in chunks of HTTP, and whether the last of them came.
fn unchunked(mut body: &[u8]) -> (Vec<u8>, bool) {
    let mut whole = Vec::new();
    loop {
        let Some(line) = body.windows(2).position(|pair| pair == b"\r\n") else { return (whole, false) };
        let length = usize::from_str_radix(str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return (whole, true);
        }
        let Some(chunk) = body.get(line + 2..line + 2 + length) else { return (whole, false) };
        whole.extend(chunk);
        let Some(rest) = body.get(line + 2 + length + 2..) else { return (whole, false) };
        body = rest;
    }
}

#[test]
fn a_ticket_gives_a_file_once() {
    let house = House::new();
    let server = Server::start(&house);
    let page = Page::open(&server);
    let id = page.run("select 1 as a, 'x,y' as t union all select 2, null");
    page.wait(&id, true);
    let path = page.ticket(&id, csv(), "größe.csv").unwrap();
    let asked = || server.ask(&path).without("authorization");
    // Nothing but a GET by a right name uses the ticket up.
    for method in ["HEAD", "POST", "OPTIONS"] {
        let mut request = asked();
        request.method = method;
        assert_eq!(request.head().status(), 405, "{method}");
    }
    assert_eq!(asked().with("host", "evil.example").head().status(), 403);
    assert_eq!(asked().with("origin", "http://evil.example").head().status(), 403);

    let (head, body) = asked().answer();
    assert_eq!(head.status(), 200, "{head:?}");
    assert_eq!(head.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        head.header("content-disposition"),
        Some("attachment; filename=\"gr__e.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv")
    );
    assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(head.header("referrer-policy"), Some("no-referrer"));
    assert!(head.header("access-control-allow-origin").is_none());
    assert_eq!(unchunked(&body), (b"a,t\n1,\"x,y\"\n2,\n".to_vec(), true));

    for path in [&path, "/download", "/download?ticket=", "/download?ticket=wrong", "/download?other=1"] {
        let (head, body) = server.ask(path).without("authorization").answer();
        assert_eq!(head.status(), 404, "{path}");
        assert_eq!(String::from_utf8(body).unwrap(), "the download is not to be had, or not any more\n");
        assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    }
    // A result that went meanwhile has nothing to give.
    let path_of_gone = page.ticket(&id, csv(), "").unwrap();
    let gone = pb::DropResultRequest { result_id: id };
    page.runtime.block_on(page.results.clone().drop_result(gone)).unwrap();
    assert_eq!(server.ask(&path_of_gone).without("authorization").head().status(), 410);

    server.signal(Signal::TERM);
    drop(page);
    let ended = server.end(&house).exits(0);
    for path in [path, path_of_gone] {
        let ticket = path.rsplit('=').next().unwrap();
        assert!(!ended.stderr.contains(ticket), "{}", ended.stderr);
    }
}

#[test]
fn what_cannot_be_downloaded_gets_no_ticket() {
    let house = House::new();
    let server = Server::start(&house);
    let page = Page::open(&server);
    let id = page.run("select 1 as a");
    page.wait(&id, true);
    for name in ["../x.csv", "a\r\nb", ".x"] {
        let refused = page.ticket(&id, csv(), name).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
    }
    let unknown = Uuid::now_v7().to_string();
    assert_eq!(page.ticket(&unknown, csv(), "").unwrap_err().code(), tonic::Code::NotFound);
    // The ending of the format, where no name is given, and its type.
    let path = page.ticket(&id, Format::Parquet(pb::ParquetFormat {}), "").unwrap();
    let (head, body) = server.ask(&path).without("authorization").answer();
    assert!(head.header("content-disposition").unwrap().contains("filename=\"result.parquet\""), "{head:?}");
    assert_eq!(unchunked(&body).0[..4], *b"PAR1");
}

#[test]
fn a_download_goes_on_with_a_statement_that_runs_and_is_no_file_when_that_breaks_off() {
    let house = House::new();
    let server = Server::start(&house);
    let page = Page::open(&server);
    for format in [csv(), Format::Parquet(pb::ParquetFormat {})] {
        let is_csv = matches!(format, Format::Csv(_));
        // So many that the statement still runs when its first bytes are there, however fast the machine is.
        let mut rows = 200_000;
        let (document, is_whole) = loop {
            let sql = format!(
                "with recursive c(n) as (select 1 union all select n + 1 from c limit {rows}) select n from c"
            );
            let id = page.run(&sql);
            page.wait(&id, false);
            let path = page.ticket(&id, format.clone(), "").unwrap();
            let was_running = page.is_running(&id);
            let answer = unchunked(&server.ask(&path).without("authorization").answer().1);
            if was_running {
                break answer;
            }
            rows *= 4;
            assert!(rows < 100_000_000, "a statement is seen while it runs");
        };
        assert!(is_whole);
        if is_csv {
            let lines = document.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(lines, rows + 1);
        }
    }

    let id = page.run(ENDLESS);
    page.wait(&id, false);
    assert!(page.is_running(&id));
    let path = page.ticket(&id, csv(), "").unwrap();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address).unwrap();
    let mut body = vec![0; 4096];
    stream.read_exact(&mut body).unwrap();
    assert!(body.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&body));
    page.cancel(&id);
    // The connection may end as if it were lost.
    let _ = stream.read_to_end(&mut body);
    let head = body.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let (document, is_whole) = unchunked(&body[head + 4..]);
    assert!(!is_whole && document.starts_with(b"n\n1\n"), "{} bytes", document.len());
}
