//! The floor: the fewest messages that log in and answer `select 1`, on a socket that blocks.

mod bulk;
mod cancel;
mod drain;

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
};

use anyhow::{Context as _, bail, ensure};
use bytes::{Bytes, BytesMut};
use postgres_protocol::{
    authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    message::{backend::Message, frontend},
};
use querybox_fixtures::Postgres;

/// A connection to a fixture's server.
///
/// It does less than any client may: one mechanism of log-in, the simple protocol, no TLS, and whatever is not expected ends
/// it.
pub struct OneQuery {
    stream: TcpStream,
    input: BytesMut,
    output: BytesMut,
    /// What stops that which runs here: process and secret.
    key: (i32, i32),
}

impl OneQuery {
    /// Connects and logs in by SCRAM-SHA-256.
    ///
    /// # Errors
    ///
    /// Anything but the shortest way in.
    pub fn connect(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Postgres::HOST, port))?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream, input: BytesMut::new(), output: BytesMut::new(), key: (0, 0) };
        let parameters = [("user", Postgres::USER), ("database", Postgres::DATABASE)];
        frontend::startup_message(parameters, &mut connection.output)?;
        connection.send()?;
        connection.log_in()?;
        loop {
            match connection.receive()? {
                Message::BackendKeyData(key) => connection.key = (key.process_id(), key.secret_key()),
                Message::ReadyForQuery(_) => return Ok(connection),
                _ => {}
            }
        }
    }

    fn log_in(&mut self) -> anyhow::Result<()> {
        let Message::AuthenticationSasl(_) = self.receive()? else {
            bail!("the server does not ask for SCRAM")
        };
        let mut scram = ScramSha256::new(Postgres::PASSWORD.as_bytes(), ChannelBinding::unsupported());
        frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), &mut self.output)?;
        self.send()?;
        let Message::AuthenticationSaslContinue(challenge) = self.receive()? else {
            bail!("no challenge came")
        };
        scram.update(challenge.data())?;
        frontend::sasl_response(scram.message(), &mut self.output)?;
        self.send()?;
        let Message::AuthenticationSaslFinal(proof) = self.receive()? else {
            bail!("the password is refused")
        };
        scram.finish(proof.data())?;
        Ok(())
    }

    /// Asks for 1, and gets it.
    ///
    /// # Errors
    ///
    /// Any other answer.
    pub fn select_one(&mut self) -> anyhow::Result<()> {
        frontend::query("select 1", &mut self.output)?;
        self.send()?;
        let mut row: Option<Bytes> = None;
        loop {
            match self.receive()? {
                Message::DataRow(data) => row = Some(Bytes::copy_from_slice(data.buffer())),
                Message::ReadyForQuery(_) => break,
                Message::RowDescription(_) | Message::CommandComplete(_) => {}
                _ => bail!("the server answers something else"),
            }
        }
        // One value, of one byte.
        ensure!(row.as_deref() == Some(b"\0\0\0\x011"), "the server answered {row:?}");
        Ok(())
    }

    /// Says good-bye.
    ///
    /// # Errors
    ///
    /// The connection broke before.
    pub fn close(mut self) -> anyhow::Result<()> {
        frontend::terminate(&mut self.output);
        self.send()
    }

    fn send(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<Message> {
        match self.receive_any()? {
            Message::ErrorResponse(_) => bail!("the server refuses"),
            message => Ok(message),
        }
    }

    fn receive_any(&mut self) -> anyhow::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.input)? {
                match message {
                    Message::ParameterStatus(_) | Message::NoticeResponse(_) => continue,
                    message => return Ok(message),
                }
            }
            let mut piece = [0; 8192];
            let count = self.stream.read(&mut piece).context("the connection broke")?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.input.extend_from_slice(&piece[..count]);
        }
    }
}
