//! The keyring by hand, and in tests, each of which needs a process with an environment of its own.
//!
//! Takes commands from standard input, a line each, and answers each with a line:
//! `probe`, `set CONNECTION OWNER FIELD SECRET`, `get CONNECTION OWNER FIELD`, `delete CONNECTION OWNER FIELD`;
//! an owner of `-` is none.

use std::{
    io::{self, Write},
    time::Instant,
};

use querybox_vault::{KeyringEntry, KeyringError, OsKeyring, Secret};

fn main() -> io::Result<()> {
    let keyring = OsKeyring::new();
    for line in io::stdin().lines() {
        let start = Instant::now();
        let answer = match run(&keyring, &line?) {
            Ok(answer) => answer,
            Err(error) => format!("{error:?}"),
        };
        let mut output = io::stdout().lock();
        writeln!(output, "{} ms: {answer}", start.elapsed().as_millis())?;
        output.flush()?;
    }
    Ok(())
}

fn run(keyring: &OsKeyring, line: &str) -> Result<String, KeyringError> {
    let words: Vec<&str> = line.split(' ').collect();
    let entry = |connection, owner| KeyringEntry {
        connection,
        owner: if owner == "-" { "" } else { owner },
        field: words[3],
        label: "QueryBox: shop (password)",
    };
    Ok(match words[..] {
        ["probe"] => keyring.probe().map(|()| "available".to_owned())?,
        ["set", connection, owner, _, secret] => {
            keyring.set(&entry(connection, owner), &Secret::from(secret.to_owned()))?;
            "set".to_owned()
        }
        ["get", connection, owner, _] => match keyring.get(&entry(connection, owner))? {
            // Shown: this is what the example is for.
            Some(secret) => String::from_utf8_lossy(secret.expose()).into_owned(),
            None => "none".to_owned(),
        },
        ["delete", connection, owner, _] => keyring.delete(&entry(connection, owner))?.to_string(),
        _ => "no such command".to_owned(),
    })
}
