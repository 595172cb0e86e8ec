//! A real PostgreSQL server in a temporary folder.

mod certificate;

use std::{
    env, fs, io,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

pub use certificate::Certificate;

use crate::{
    folder::Folder,
    users::{User, is_root, ordinary_user, unprivileged},
};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Another process may take a free port between its choice and the server's start.
const PORTS_TRIED_MAX: usize = 5;

/// How a server is set up.
#[derive(Debug, Default)]
pub struct PostgresOptions<'a> {
    /// What the server proves its name with. None: it has no TLS.
    pub certificate: Option<&'a Certificate>,
    /// Settings as `postgresql.conf` takes them, for instance `timezone = 'Europe/Berlin'`.
    pub settings: &'a [&'a str],
    /// Lines of `pg_hba.conf`. Empty: everybody logs in by SCRAM-SHA-256.
    pub access: &'a [&'a str],
}

/// A running PostgreSQL server; dropping it stops it and removes its folder.
///
/// It listens on a free port of 127.0.0.1 and on a Unix socket, takes up to 300 connections, and syncs nothing to disk.
pub struct Postgres {
    // Stopped before its folder goes.
    server: Child,
    folder: Folder,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// The superuser.
    pub const USER: &str = "postgres";
    /// The superuser's password.
    pub const PASSWORD: &str = "p\u{e4}ss w\u{f6}rd";
    /// A database that is there.
    pub const DATABASE: &str = "postgres";
    /// Where it listens.
    pub const HOST: &str = "127.0.0.1";

    /// Starts a server without TLS.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed, or does not start: a test can do nothing without it.
    pub fn start() -> Self {
        Self::start_with(&PostgresOptions::default())
    }

    /// Starts a server.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(options: &PostgresOptions<'_>) -> Self {
        let programs = find_programs();
        let folder = Folder::make(owner(), 0o700).expect("the folder for temporary files is writable");
        initialize(&programs, &folder, options);
        for _ in 0..PORTS_TRIED_MAX {
            let port = free_port();
            let mut server = spawn(&programs, &folder, port);
            match wait_until_ready(&mut server, &folder) {
                Ok(()) => return Self { server, folder, programs, port },
                Err(log) if log.contains("could not bind") => {}
                Err(log) => panic!("PostgreSQL does not start:\n{log}"),
            }
        }
        panic!("PostgreSQL found no free port in {PORTS_TRIED_MAX} attempts");
    }

    /// The port on [`HOST`](Self::HOST).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its programs, psql among them where the server's package has it.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The folder of its Unix socket.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs SQL through psql as the superuser and answers with what it prints, bytes as they are: of a `COPY … TO STDOUT`
    /// the very data.
    ///
    /// # Panics
    ///
    /// When a statement fails.
    pub fn psql(&self, sql: &str) -> Vec<u8> {
        let output = Command::new(client(&self.programs))
            .env_clear()
            .env("PGPASSWORD", Self::PASSWORD)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(self.socket_folder())
            .args(["-p", &self.port.to_string(), "-U", Self::USER, "-d", Self::DATABASE, "-c", sql])
            .stdin(Stdio::null())
            .output()
            .expect("psql is installed with Debian's server");
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Stops the server as its administrator would: sessions are told and ended. A second call does nothing.
    pub fn stop(&mut self) {
        self.end(Signal::INT);
    }

    /// Stops the server without a word to its sessions, as a crash would.
    pub fn crash(&mut self) {
        self.end(Signal::QUIT);
    }

    fn end(&mut self, signal: Signal) {
        if self.server.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        let pid = Pid::from_child(&self.server);
        // It may have ended just now; then there is nobody to tell.
        kill_process(pid, signal).ok();
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if self.server.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// psql: beside the server's programs, or Debian's, which any server understands.
fn client(programs: &Path) -> PathBuf {
    let beside = programs.join("psql");
    if beside.is_file() { beside } else { "psql".into() }
}

/// The folder of the server's programs: what `QUERYBOX_TEST_POSTGRES` says, else Debian's newest.
fn find_programs() -> PathBuf {
    if let Some(folder) = env::var_os("QUERYBOX_TEST_POSTGRES") {
        let folder = PathBuf::from(folder);
        assert!(folder.join("initdb").is_file(), "QUERYBOX_TEST_POSTGRES names a folder without initdb");
        return folder;
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max_by_key(|(version, _)| *version)
        .map(|(_, folder)| folder)
        .expect(
            "PostgreSQL's server is not installed: apt-get install postgresql, or set QUERYBOX_TEST_POSTGRES",
        )
}

/// Who the server runs as: it refuses to be root, and wants an entry in `/etc/passwd`.
fn owner() -> User {
    if is_root() { unprivileged() } else { ordinary_user() }
}

fn as_owner(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        let User { uid, gid } = owner();
        command.uid(uid).gid(gid);
    }
    command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    command
}

fn data(folder: &Folder) -> PathBuf {
    folder.path().join("data")
}

fn initialize(programs: &Path, folder: &Folder, options: &PostgresOptions<'_>) {
    let add = |name: &str, content: &str| {
        folder.add_file(name, owner(), 0o600, content).expect("the server's folder takes files")
    };
    let password = add("password", Postgres::PASSWORD);
    let output = as_owner(programs.join("initdb"))
        .args([
            "--username",
            Postgres::USER,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
        ])
        .args(["--no-sync", "--no-instructions", "--pgdata"])
        .arg(data(folder))
        .arg("--pwfile")
        .arg(password)
        .output()
        .expect("initdb can be run");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));

    let mut settings = vec![
        "listen_addresses = '127.0.0.1'".to_owned(),
        format!("unix_socket_directories = '{}'", folder.path().display()),
        "max_connections = 300".to_owned(),
        "fsync = off".to_owned(),
        "synchronous_commit = off".to_owned(),
        "full_page_writes = off".to_owned(),
        "timezone = 'UTC'".to_owned(),
    ];
    if let Some(certificate) = options.certificate {
        add("server.crt", certificate.chain_pem());
        add("server.key", certificate.key_pem());
        let path = folder.path().display();
        settings.push("ssl = on".to_owned());
        settings.push(format!("ssl_cert_file = '{path}/server.crt'"));
        settings.push(format!("ssl_key_file = '{path}/server.key'"));
    }
    settings.extend(options.settings.iter().map(|&setting| setting.to_owned()));
    append(&data(folder).join("postgresql.conf"), &settings);
    if !options.access.is_empty() {
        fs::write(data(folder).join("pg_hba.conf"), options.access.join("\n") + "\n")
            .expect("initdb made the file");
    }
}

fn append(path: &Path, lines: &[String]) {
    let before = fs::read_to_string(path).expect("initdb made the file");
    fs::write(path, before + &lines.join("\n") + "\n").expect("initdb made the file");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Postgres::HOST, 0)).expect("loopback has free ports");
    listener.local_addr().expect("a listener has an address").port()
}

fn spawn(programs: &Path, folder: &Folder, port: u16) -> Child {
    let log = fs::File::create(folder.path().join("log")).expect("the server's folder takes files");
    as_owner(programs.join("postgres"))
        .arg("-D")
        .arg(data(folder))
        .args(["-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the server can be run")
}

/// Waits for the server's own word that it takes connections.
///
/// # Errors
///
/// What it logged, when it ended or took too long.
fn wait_until_ready(server: &mut Child, folder: &Folder) -> Result<(), String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        // The eighth line of the pid file: https://www.postgresql.org/docs/current/storage-file-layout.html
        let pid_file = fs::read_to_string(data(folder).join("postmaster.pid")).unwrap_or_default();
        if pid_file.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
            return Ok(());
        }
        let ended = server.try_wait().is_ok_and(|ended| ended.is_some());
        if ended || Instant::now() > deadline {
            server.kill().ok();
            server.wait().ok();
            return Err(read_log(folder).unwrap_or_else(|error| format!("no log: {error}")));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn read_log(folder: &Folder) -> io::Result<String> {
    fs::read_to_string(folder.path().join("log"))
}
