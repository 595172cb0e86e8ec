//! One meeting: what the user does, and what the server sends whatever is asked. Its text form brings it back.

use std::fmt::{self, Write as _};

use anyhow::{Context as _, bail};

/// A meeting of the driver and a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub user: User,
    pub sent: Vec<Sent>,
    /// Where the bytes are cut into pieces is chosen by this number; 0: nowhere.
    pub pieces: u64,
}

/// What the user does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Scripts, one after another in the same session.
    pub scripts: Vec<String>,
    pub read_only: bool,
    pub single_transaction: bool,
    pub one_shot: bool,
    pub goes_on: bool,
    /// Gives data to a COPY that asks for it.
    pub gives_data: bool,
    /// Wants to know what is known of the columns.
    pub column_facts: bool,
    pub rows_max: Option<u64>,
    pub bytes_max: Option<u64>,
    /// Values for `$1` and so on.
    pub values: u8,
    /// Cancels once so many parts were told.
    pub cancels_after: Option<u8>,
    /// Listens to so many parts of each script and leaves.
    pub leaves_after: Option<u8>,
}

/// Something that the server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A message. `lie`: the length that it says it has.
    Message { tag: u8, body: Vec<u8>, lie: Option<i32> },
    /// Bytes that are no message.
    Raw(Vec<u8>),
    /// The challenge of a SCRAM log-in, made for the driver's nonce.
    Challenge { iterations: u32 },
    /// The proof that the server of that challenge knows the password.
    Proof,
}

impl Sent {
    /// The bytes, of what does not depend on what was heard.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Message { tag, body, lie } => Some(message(*tag, body, *lie)),
            Self::Raw(bytes) => Some(bytes.clone()),
            Self::Challenge { .. } | Self::Proof => None,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Message { body, .. } => body.len() + 5,
            Self::Raw(bytes) => bytes.len(),
            Self::Challenge { .. } | Self::Proof => 100,
        }
    }
}

/// A message of the protocol.
pub(crate) fn message(tag: u8, body: &[u8], lie: Option<i32>) -> Vec<u8> {
    let honest = i32::try_from(body.len() + 4).unwrap_or(i32::MAX);
    [&[tag], &lie.unwrap_or(honest).to_be_bytes()[..], body].concat()
}

impl Case {
    /// Bytes that the server sends, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.sent.iter().map(Sent::size).sum()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let User { scripts, rows_max, bytes_max, values, cancels_after, leaves_after, .. } = &self.user;
        for script in scripts {
            writeln!(f, "script {}", serde_json::Value::from(script.as_str()))?;
        }
        let is = [
            ("read_only", self.user.read_only),
            ("single_transaction", self.user.single_transaction),
            ("one_shot", self.user.one_shot),
            ("goes_on", self.user.goes_on),
            ("gives_data", self.user.gives_data),
            ("column_facts", self.user.column_facts),
        ];
        for (name, _) in is.into_iter().filter(|(_, is)| *is) {
            writeln!(f, "{name}")?;
        }
        let numbers = [
            ("rows_max", *rows_max),
            ("bytes_max", *bytes_max),
            ("values", Some(u64::from(*values)).filter(|values| *values > 0)),
            ("cancels_after", cancels_after.map(u64::from)),
            ("leaves_after", leaves_after.map(u64::from)),
            ("pieces", Some(self.pieces).filter(|pieces| *pieces > 0)),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                writeln!(f, "{name} {number}")?;
            }
        }
        for sent in &self.sent {
            match sent {
                Sent::Message { tag, body, lie: None } => writeln!(f, "message {tag:02x} {}", hex(body))?,
                Sent::Message { tag, body, lie: Some(lie) } => {
                    writeln!(f, "lie {lie} {tag:02x} {}", hex(body))?;
                }
                Sent::Raw(bytes) => writeln!(f, "raw {}", hex(bytes))?,
                Sent::Challenge { iterations } => writeln!(f, "challenge {iterations}")?,
                Sent::Proof => writeln!(f, "proof")?,
            }
        }
        // What follows in a file that is written over and over belongs to an older case.
        f.write_str("end\n")
    }
}

impl std::str::FromStr for Case {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut case = Self { user: User::default(), sent: Vec::new(), pieces: 0 };
        for (number, line) in (1..).zip(text.lines()) {
            if line == "end" {
                break;
            }
            case.take(line).with_context(|| format!("line {number}"))?;
        }
        Ok(case)
    }
}

impl Case {
    fn take(&mut self, line: &str) -> anyhow::Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let user = &mut self.user;
        match word {
            "" | "#" => {}
            "script" => user.scripts.push(serde_json::from_str(rest)?),
            "read_only" => user.read_only = true,
            "single_transaction" => user.single_transaction = true,
            "one_shot" => user.one_shot = true,
            "goes_on" => user.goes_on = true,
            "gives_data" => user.gives_data = true,
            "column_facts" => user.column_facts = true,
            "rows_max" => user.rows_max = Some(rest.parse()?),
            "bytes_max" => user.bytes_max = Some(rest.parse()?),
            "values" => user.values = rest.parse()?,
            "cancels_after" => user.cancels_after = Some(rest.parse()?),
            "leaves_after" => user.leaves_after = Some(rest.parse()?),
            "pieces" => self.pieces = rest.parse()?,
            "message" => {
                let (tag, body) = tagged(rest)?;
                self.sent.push(Sent::Message { tag, body, lie: None });
            }
            "lie" => {
                let (lie, rest) = rest.split_once(' ').context("a lie has a length")?;
                let (tag, body) = tagged(rest)?;
                self.sent.push(Sent::Message { tag, body, lie: Some(lie.parse()?) });
            }
            "raw" => self.sent.push(Sent::Raw(unhex(rest)?)),
            "challenge" => self.sent.push(Sent::Challenge { iterations: rest.parse()? }),
            "proof" => self.sent.push(Sent::Proof),
            _ => bail!("{word:?} begins no line of a case"),
        }
        Ok(())
    }
}

fn tagged(text: &str) -> anyhow::Result<(u8, Vec<u8>)> {
    let (tag, body) = text.split_once(' ').unwrap_or((text, ""));
    Ok((u8::from_str_radix(tag, 16)?, unhex(body)?))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}

fn unhex(text: &str) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(text.len().is_multiple_of(2) && text.is_ascii(), "bytes are pairs of hex digits");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).context("bytes are hex digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Cuts what a server sent into messages; what is no whole message at the end is left out.
#[must_use]
pub fn messages(mut bytes: &[u8]) -> Vec<Sent> {
    let mut messages = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<5>() {
        let [tag, length @ ..] = *head;
        let Some(length) =
            usize::try_from(i32::from_be_bytes(length)).ok().and_then(|all| all.checked_sub(4))
        else {
            break;
        };
        let Some((body, rest)) = rest.split_at_checked(length) else { break };
        messages.push(Sent::Message { tag, body: body.to_vec(), lie: None });
        bytes = rest;
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_brings_its_case_back() {
        let user = User {
            scripts: vec!["select '\n\u{e4}'".into(), String::new()],
            read_only: true,
            one_shot: true,
            rows_max: Some(7),
            values: 2,
            leaves_after: Some(0),
            ..User::default()
        };
        let sent = vec![
            Sent::Message { tag: b'R', body: vec![0, 0, 0, 10, 255], lie: None },
            Sent::Message { tag: 0, body: Vec::new(), lie: Some(-1) },
            Sent::Raw(vec![1, 2]),
            Sent::Challenge { iterations: 4096 },
            Sent::Proof,
        ];
        let case = Case { user, sent, pieces: 9 };
        assert_eq!(format!("# what it is\n{case}raw zz").parse::<Case>().unwrap(), case);
        assert!("raw 0".parse::<Case>().is_err());
        assert!("rows 1".parse::<Case>().is_err());
    }

    #[test]
    fn a_stream_is_cut_into_its_messages() {
        let sent = [message(b'Z', b"I", None), message(b'C', b"", None), b"D\0\0".to_vec()].concat();
        let expected = [(b'Z', b"I".as_slice()), (b'C', b"")].map(|(tag, body)| Sent::Message {
            tag,
            body: body.to_vec(),
            lie: None,
        });
        assert_eq!(messages(&sent), expected);
    }
}
