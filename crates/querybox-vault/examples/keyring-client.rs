//! The keyring by hand, and in tests, each of which needs a process with an environment of its own.
//!
//! Takes commands from standard input, a line each, and answers each with a line:
//! `probe`, `add STORE ID SECRET`, `get STORE ID`, `delete STORE ID`.

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
    Ok(match words[..] {
        ["probe"] => keyring.probe().map(|()| "available".to_owned())?,
        ["add", store, id, secret] => {
            let label = "QueryBox: shop, password";
            keyring.add(&KeyringEntry { store, id }, label, &Secret::from(secret.to_owned()))?;
            "added".to_owned()
        }
        ["get", store, id] => match keyring.get(&KeyringEntry { store, id })? {
            // Shown: this is what the example is for.
            Some(secret) => String::from_utf8_lossy(secret.expose()).into_owned(),
            None => "none".to_owned(),
        },
        ["delete", store, id] => keyring.delete(&KeyringEntry { store, id })?.to_string(),
        _ => "no such command".to_owned(),
    })
}
