//! A server for one test, and HTTP as plain as it gets.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::house::{House, Ran};

/// Time for anything that a server has to do, on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Option<Child>,
    stdout: BufReader<ChildStdout>,
    scheme: String,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// The code of the link that it printed.
    pub(crate) code: String,
    pub(crate) token: String,
}

impl Server {
    pub(crate) fn start(house: &House) -> Server {
        Server::run(house.command(["serve", "--listen", "127.0.0.1:0"]), house)
    }

    /// Runs a command that serves, and waits until it says where.
    pub(crate) fn run(mut command: Command, house: &House) -> Server {
        // Its log is kept in a file: nobody reads a pipe meanwhile.
        let log = fs::File::create(house.path("serve.log")).unwrap();
        let mut child = command.stderr(Stdio::from(log)).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let link = line.trim_end().strip_prefix("QueryBox serves at ").unwrap_or_else(|| {
            panic!("{line:?}, and {}", fs::read_to_string(house.path("serve.log")).unwrap())
        });
        let (url, code) = link.split_once("/#code=").unwrap();
        let (scheme, address) = url.split_once("://").unwrap();
        let scheme = scheme.to_owned();
        let token = fs::read_to_string(house.home().join("token")).unwrap();
        Server {
            child: Some(child),
            stdout,
            scheme,
            address: address.to_owned(),
            code: code.to_owned(),
            token,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end: the exit code, what it printed after the link, and its log.
    pub(crate) fn end(mut self, house: &House) -> Ran {
        let status = self.child.take().unwrap().wait().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let stderr = fs::read_to_string(house.path("serve.log")).unwrap();
        Ran { code: status.code().unwrap_or(-1), stdout: rest, stderr }
    }

    /// Runs a verb that goes to this server.
    pub(crate) fn verb(&self, house: &House, args: &[&str]) -> Ran {
        house.run([args, &["--server", &self.url()]].concat())
    }

    /// A request with the right Host and the token.
    pub(crate) fn ask(&self, path: &str) -> Request<'_> {
        let authorization = format!("Bearer {}", self.token);
        let headers =
            vec![("host".to_owned(), self.address.clone()), ("authorization".to_owned(), authorization)];
        Request { server: self, method: "GET", path: path.to_owned(), headers, body: Vec::new() }
    }

    /// A call of gRPC-web with an empty message.
    pub(crate) fn call(&self, path: &str) -> Request<'_> {
        self.call_with(path, &[])
    }

    pub(crate) fn call_with(&self, path: &str, message: &[u8]) -> Request<'_> {
        let mut request = self.ask(path).with("content-type", "application/grpc-web+proto");
        request.method = "POST";
        request.body.push(0);
        request.body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        request.body.extend(message);
        request
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One request on a connection of its own.
pub(crate) struct Request<'a> {
    server: &'a Server,
    pub(crate) method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request<'_> {
    /// With a header, in the place of what it was.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut request = self.without(name);
        request.headers.push((name.to_owned(), value.to_owned()));
        request
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// The answer's head; what follows is not waited for.
    pub(crate) fn head(self) -> Head {
        self.send().0
    }

    /// The answer, whose stream has an end.
    pub(crate) fn answer(self) -> (Head, Vec<u8>) {
        let (head, mut reader) = self.send();
        let mut body = Vec::new();
        reader.read_to_end(&mut body).unwrap();
        (head, body)
    }

    fn send(self) -> (Head, BufReader<TcpStream>) {
        let mut stream = TcpStream::connect(&self.server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        stream.write_all(text.as_bytes()).unwrap();
        stream.write_all(&self.body).unwrap();
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0, "no whole head: {lines:?}");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        (Head(lines), reader)
    }
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head(Vec<String>);

impl Head {
    pub(crate) fn status(&self) -> u16 {
        self.0[0].split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0[1..].iter().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The code of gRPC, where the head has it: then there is nothing but a status.
    pub(crate) fn grpc_status(&self) -> Option<u16> {
        self.header("grpc-status").map(|status| status.parse().unwrap())
    }
}
