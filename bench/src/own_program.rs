//! `querybox` itself as a contender: a home of its own, and a connection in it whose password is typed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;
use querybox_fixtures::Postgres;

/// The connection's name.
pub(crate) const CONNECTION: &str = "pg";
/// A password as it is typed: with the end of its line.
pub(crate) const PASSWORD_LINE: &str = "p\u{e4}ss w\u{f6}rd\n";

/// The program and its home.
#[derive(Debug, Clone)]
pub(crate) struct OwnProgram {
    pub(crate) program: PathBuf,
    home: PathBuf,
}

impl OwnProgram {
    /// Makes a home for the program that lies in `folder`, with a connection to the server on `port`. The sample counts as
    /// made and removed. One that was made there before is taken.
    pub(crate) fn settle(folder: &Path, home: &str, port: u16) -> anyhow::Result<Self> {
        debug_assert_eq!(PASSWORD_LINE.trim_end(), Postgres::PASSWORD);
        let own = Self { program: folder.join("querybox"), home: folder.join(home) };
        if own.home.is_dir() {
            return Ok(own);
        }
        fs::create_dir(&own.home)?;
        fs::write(own.home.join("sample.made"), "removed by a bench\n")?;
        let url = format!("postgres://{}@{}:{port}/{}", Postgres::USER, Postgres::HOST, Postgres::DATABASE);
        let mut command = Command::new(&own.program);
        own.furnish(&mut command);
        let output = command.args(["connections", "add", CONNECTION, &url]).output()?;
        ensure!(output.status.success(), "no connection: {}", String::from_utf8_lossy(&output.stderr));
        Ok(own)
    }

    /// What a server of this home lets in.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.home.join("token")
    }

    /// Gives it its environment.
    pub(crate) fn furnish(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("QUERYBOX_HOME", &self.home);
    }
}
