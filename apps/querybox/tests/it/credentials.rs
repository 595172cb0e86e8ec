//! Stored passwords through the program: kept, used, moved, rotated, dropped, imported, and found nowhere in the clear.

mod canary;
mod canary_of_server;
mod import;
mod keyring;
mod vault;

use std::{
    ffi::OsString,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use querybox_fixtures::{Keyring, Postgres};

use crate::house::{House, Ran};

/// The password of the user that each site has.
const PASSWORD: &str = "sesame-7f3a9c-Öffne";

/// A server with a user `ada`, and a house with the driver.
struct Site {
    server: Postgres,
    house: House,
    environment: Vec<(String, OsString)>,
}

impl Site {
    fn start() -> Site {
        let house = House::empty();
        fs::create_dir(house.home()).unwrap();
        fs::write(house.home().join("sample.made"), "removed by a test\n").unwrap();
        house.add_driver("postgres");
        let site = Site { server: Postgres::start(), house, environment: Vec::new() };
        site.server.psql(&format!("create role ada login password '{PASSWORD}'"));
        site
    }

    /// A site whose vault has a key, in a file.
    fn with_vault() -> Site {
        let mut site = Site::start();
        let key = site.run(&["keys", "init"]).exits(0).stdout;
        site.source_says(&[key.trim()]);
        site
    }

    fn key_file(&self) -> PathBuf {
        self.house.path("master.key")
    }

    /// Makes a key file the source, and fills it.
    fn source_says(&mut self, keys: &[&str]) {
        let _ = fs::remove_file(self.key_file());
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.key_file()).unwrap();
        file.write_all(keys.join("\n").as_bytes()).unwrap();
        self.environment.retain(|(name, _)| name != "QUERYBOX_MASTER_KEY_FILE");
        self.environment.push(("QUERYBOX_MASTER_KEY_FILE".to_owned(), self.key_file().into()));
    }

    fn give_keyring(&mut self, keyring: &Keyring) {
        let environment = keyring.environment().into_iter().map(|(name, value)| (name.to_owned(), value));
        self.environment.extend(environment);
    }

    fn url(&self) -> String {
        format!("postgres://ada@127.0.0.1:{}/postgres", self.server.port())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.house.command(args);
        command.envs(self.environment.iter().cloned());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.tidy(self.house.ran(self.command(args).output().unwrap()))
    }

    /// With a line on standard input.
    fn run_with(&self, line: &str, args: &[&str]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // The program may end without reading.
        let _ = writeln!(child.stdin.take().unwrap(), "{line}");
        self.tidy(self.house.ran(child.wait_with_output().unwrap()))
    }

    /// Saves a connection with its password.
    fn add(&self, name: &str, keep: &str) -> Ran {
        self.run_with(
            PASSWORD,
            &["connections", "add", name, &self.url(), "--password-stdin", "--keep", keep],
        )
        .exits(0)
    }

    /// Whether a log-in with what is stored succeeds.
    fn logs_in(&self, name: &str) -> bool {
        self.run(&["query", name, "select current_user"]).code == 0
    }

    /// What is stored, as a document.
    fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.run(&["credentials", "status", "--json"]).exits(0).stdout).unwrap()
    }

    fn places(&self) -> Vec<String> {
        let status = self.status();
        let stored = status["credentials"].as_array().unwrap().clone();
        stored.into_iter().map(|stored| stored["place"].as_str().unwrap().to_owned()).collect()
    }

    fn tidy(&self, ran: Ran) -> Ran {
        let port = self.server.port().to_string();
        Ran {
            code: ran.code,
            stdout: ran.stdout.replace(&port, "<port>"),
            stderr: ran.stderr.replace(&port, "<port>"),
        }
    }
}
