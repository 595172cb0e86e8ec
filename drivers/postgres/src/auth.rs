//! Proving to the server who the user is, and giving away no more of the password than that needs.
//!
//! - SCRAM-SHA-256 anywhere: it tells the server nothing that would help to log in elsewhere.
//! - MD5 on this machine or over verified TLS: who catches the answer can log in with it.
//! - Clear text over verified TLS alone.
//!
//! SCRAM over TLS is bound to the connection where the server can: somebody in between, with another certificate, cannot
//! pass the log-in on.

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::{
    authentication::{
        md5_hash,
        sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256},
    },
    message::{
        backend::{AuthenticationSaslBody, Message},
        frontend,
    },
};
use querybox_plugin::{Error, OpenError, Reason};
use zeroize::Zeroizing;

use crate::{
    options::{ChannelBinding as Wanted, Options, Server},
    rejection::Refusal,
    tls::Tls,
    wire::Wire,
};

/// SCRAM makes the client hash this often at the server's word, at most: 25 times PostgreSQL's default, below a tenth of a
/// second. The library refuses more without saying so.
const ITERATIONS_MAX: u32 = 100_000;

/// What a message of the log-in holds at most beside its text: tag, length, final zero.
const MESSAGE_BYTES: usize = 16;

/// Answers what the server asks until it says that the user is in.
///
/// `end_point` is [`Transport::end_point`](crate::wire::Transport).
pub(crate) async fn authenticate(
    wire: &mut Wire,
    options: &Options,
    server: &Server,
    end_point: Option<Vec<u8>>,
) -> Result<(), OpenError> {
    match answer(wire).await? {
        Message::AuthenticationSasl(offer) => scram(wire, options, end_point, &offer).await?,
        // Everything else of the log-in could be passed on.
        _ if options.channel_binding == Wanted::Require => return Err(unbound().into()),
        Message::AuthenticationOk => return Ok(()),
        Message::AuthenticationMd5Password(request) => {
            if !(server.is_local() || matches!(server.tls, Tls::Verified(_))) {
                return Err(refuse("as an MD5 hash").into());
            }
            let hash = Zeroizing::new(md5_hash(options.user.as_bytes(), password(options)?, request.salt()));
            send_password(wire, hash.as_bytes()).await?;
        }
        Message::AuthenticationCleartextPassword => {
            if !matches!(server.tls, Tls::Verified(_)) {
                return Err(refuse("in clear text").into());
            }
            send_password(wire, password(options)?).await?;
        }
        Message::AuthenticationGss
        | Message::AuthenticationSspi
        | Message::AuthenticationKerberosV5
        | Message::AuthenticationScmCredential => {
            return Err(
                Error::unsupported("the server asks for a log-in without password (Kerberos, SSPI)").into()
            );
        }
        _ => return Err(out_of_order().into()),
    }
    match answer(wire).await? {
        Message::AuthenticationOk => Ok(()),
        _ => Err(out_of_order().into()),
    }
}

/// The next message of the log-in; an error of the server is its refusal.
pub(crate) async fn answer(wire: &mut Wire) -> Result<Message, OpenError> {
    loop {
        let Some(head) = wire.head()? else {
            wire.fill().await?;
            continue;
        };
        match wire.message(head)? {
            Message::ErrorResponse(body) => {
                return Err(OpenError::Rejected(Box::new(Refusal::parse(&body)?.of_log_in())));
            }
            // Nobody listens to notices yet.
            Message::NoticeResponse(_) => {}
            message => return Ok(message),
        }
    }
}

async fn scram(
    wire: &mut Wire,
    options: &Options,
    end_point: Option<Vec<u8>>,
    offer: &AuthenticationSaslBody,
) -> Result<(), OpenError> {
    let mut mechanisms = offer.mechanisms();
    let (mut is_offered, mut is_binding_offered) = (false, false);
    while let Some(mechanism) = mechanisms.next().map_err(|_| malformed())? {
        is_offered |= mechanism == SCRAM_SHA_256;
        is_binding_offered |= mechanism == SCRAM_SHA_256_PLUS;
    }
    let end_point = end_point.filter(|_| options.channel_binding != Wanted::Disable);
    let (mechanism, binding) = match end_point {
        Some(end_point) if is_binding_offered => {
            (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(end_point))
        }
        _ if options.channel_binding == Wanted::Require => return Err(unbound().into()),
        _ if !is_offered => {
            return Err(Error::unsupported("the server offers no log-in by SCRAM-SHA-256").into());
        }
        // "y": it could be bound. A server that did offer it knows then that somebody took the offer away.
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    let mut scram = ScramSha256::new(password(options)?, binding);
    frontend::sasl_initial_response(mechanism, scram.message(), &mut wire.output).map_err(|_| malformed())?;
    wire.send().await?;

    let Message::AuthenticationSaslContinue(challenge) = answer(wire).await? else {
        return Err(out_of_order().into());
    };
    check_iterations(challenge.data())?;
    scram.update(challenge.data()).map_err(|_| malformed())?;
    frontend::sasl_response(scram.message(), &mut wire.output).map_err(|_| malformed())?;
    wire.send().await?;

    let Message::AuthenticationSaslFinal(proof) = answer(wire).await? else {
        return Err(out_of_order().into());
    };
    // Only who knows the password can prove it, so this is somebody in the server's place.
    scram
        .finish(proof.data())
        .map_err(|_| Error::protocol("the server could not prove that it knows the password").into())
}

/// Looks at the count before the library works through it, to name what is wrong.
fn check_iterations(challenge: &[u8]) -> Result<(), Error> {
    let count = challenge
        .split(|&byte| byte == b',')
        .find_map(|attribute| attribute.strip_prefix(b"i="))
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok())
        .ok_or_else(malformed)?;
    if count > u64::from(ITERATIONS_MAX) {
        return Err(Error::protocol(format!(
            "the server asks for {count} SCRAM iterations, and {ITERATIONS_MAX} is the most that is done"
        )));
    }
    Ok(())
}

fn password(options: &Options) -> Result<&[u8], Error> {
    match &options.password {
        Some(password) => Ok(password),
        None => Err(Error::parameter("password", "is missing: the server asks for one")),
    }
}

async fn send_password(wire: &mut Wire, answer: &[u8]) -> Result<(), Error> {
    // In one place, which is wiped: a buffer that has to grow leaves its first part behind.
    wire.output.reserve(answer.len() + MESSAGE_BYTES);
    frontend::password_message(answer, &mut wire.output).map_err(|_| malformed())?;
    wire.send().await
}

fn unbound() -> Error {
    Error::new(
        Reason::TlsFailed,
        "the server offers no log-in that is bound to the TLS connection, and channel_binding is require",
    )
}

fn refuse(how: &str) -> Error {
    Error::new(
        Reason::TlsFailed,
        format!("the server asks for the password {how}, which is not sent without verified TLS"),
    )
}

fn out_of_order() -> Error {
    Error::protocol("the server's log-in is out of order")
}

fn malformed() -> Error {
    Error::protocol("the server's log-in is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_make_the_driver_hash_forever() {
        assert!(check_iterations(b"r=abc,s=c2FsdA==,i=4096").is_ok());
        let error = check_iterations(b"r=abc,s=c2FsdA==,i=2147483648").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server asks for 2147483648 SCRAM iterations, and 100000 is the most that is done"
        );
        assert!(check_iterations(b"r=abc,s=c2FsdA==").is_err());
        assert!(check_iterations(b"r=abc,s=c2FsdA==,i=99999999999999999999999").is_err());
    }
}
