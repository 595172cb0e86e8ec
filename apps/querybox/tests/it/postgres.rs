//! The built program with the PostgreSQL driver and real servers.

mod bad_inputs;
mod connections;
mod copies;
mod endings;
mod kept;
mod memory;
mod notifications;
mod scripts;
mod secrets;
mod values;

use std::{
    fs,
    io::{Write, pipe},
    process::{Command, Stdio},
};

use querybox_fixtures::{Postgres, PostgresOptions};

use crate::house::{House, Ran, Running};

/// The connection that every site has.
const PG: &str = "pg";

/// A statement that returns its only row after a minute.
const SLEEP: &str = "select pg_sleep(60)";

/// A server, and a house with the PostgreSQL driver and a connection to it.
struct Site {
    server: Postgres,
    house: House,
}

impl Site {
    fn start() -> Site {
        Site::start_with(&PostgresOptions::default())
    }

    fn start_with(options: &PostgresOptions<'_>) -> Site {
        let house = House::empty();
        fs::create_dir(house.home()).unwrap();
        fs::write(house.home().join("sample.made"), "removed by a test\n").unwrap();
        house.add_driver("postgres");
        let site = Site { server: Postgres::start_with(options), house };
        site.add(PG, &site.url("127.0.0.1", "postgres"), &[]);
        site
    }

    /// Where the superuser finds a database.
    fn url(&self, host: &str, database: &str) -> String {
        format!("postgres://{}@{host}:{}/{database}", Postgres::USER, self.server.port())
    }

    /// Saves a connection.
    fn add(&self, name: &str, url: &str, options: &[&str]) {
        self.house.run(["connections", "add", name, url].iter().chain(options)).exits(0);
    }

    /// The program with a password in its standard input.
    fn command_with(&self, password: &str, args: &[&str]) -> Command {
        let (reader, mut writer) = pipe().unwrap();
        // A pipe holds more than any password.
        writeln!(writer, "{password}").unwrap();
        let mut command = self.house.command(args);
        command.arg("--password-stdin").stdin(Stdio::from(reader));
        command
    }

    /// The program with the superuser's password in its standard input.
    fn command(&self, args: &[&str]) -> Command {
        self.command_with(Postgres::PASSWORD, args)
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(Postgres::PASSWORD, args)
    }

    fn run_with(&self, password: &str, args: &[&str]) -> Ran {
        let ran = self.house.ran(self.command_with(password, args).output().unwrap());
        without_port(ran, self.server.port())
    }

    /// Runs SQL on the site's connection.
    fn query(&self, sql: &str) -> Ran {
        self.run(&["query", PG, sql])
    }

    /// Runs SQL, and does not wait for its end.
    fn running(&self, sql: &str) -> Running {
        Running::start(self.command(&["query", PG, "-v", sql]))
    }

    /// One value, asked for beside the program.
    fn ask(&self, sql: &str) -> String {
        String::from_utf8(self.server.psql(sql)).unwrap().trim_end().to_owned()
    }

    /// Whether the server serves none of the program's sessions.
    fn is_left_alone(&self) -> bool {
        self.ask("select count(*) from pg_stat_activity where application_name like 'querybox %'") == "0"
    }

    /// Whether the server works for the program.
    fn is_busy(&self) -> bool {
        let active = "select count(*) from pg_stat_activity \
                      where application_name like 'querybox %' and state = 'active'";
        self.ask(active) != "0"
    }
}

/// Ports differ from run to run.
fn without_port(ran: Ran, port: u16) -> Ran {
    let port = port.to_string();
    Ran {
        code: ran.code,
        stdout: ran.stdout.replace(&port, "<port>"),
        stderr: ran.stderr.replace(&port, "<port>"),
    }
}
