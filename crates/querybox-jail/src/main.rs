//! Confines itself by the policy on descriptor 0, then becomes the driver. Started by the launcher, never by people.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    process::exit,
};

use querybox_jail::{EXIT_NOT_EXECUTED, EXIT_REFUSED, Policy, Refused, Report, Step, channel, enter};

fn main() {
    let mut channel = match open_channel() {
        Ok(channel) => channel,
        Err(error) => fail(EXIT_REFUSED, format_args!("descriptor 0 is not the launcher's socket: {error}")),
    };
    let entered = channel::receive::<Policy>(&mut channel)
        .map_err(|error| Refused { step: Step::ReadPolicy, message: format!("reading the policy: {error}") })
        .and_then(enter);
    match entered {
        Ok(confined) => {
            if let Err(error) = channel::send(&mut channel, &Report::Entered(confined.enforced().clone())) {
                fail(EXIT_REFUSED, format_args!("reporting to the launcher: {error}"));
            }
            let driver = confined.driver().to_owned();
            let error = confined.execute();
            fail(EXIT_NOT_EXECUTED, format_args!("executing {}: {error}", driver.display()));
        }
        Err(refused) => {
            // When nobody listens any more, there is nobody to tell.
            let _ = channel::send(&mut channel, &Report::Refused(refused));
            exit(EXIT_REFUSED);
        }
    }
}

/// A second descriptor of the socket, which closes on exec; descriptor 0 itself stays for the driver.
fn open_channel() -> io::Result<UnixStream> {
    let channel = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    channel.peer_addr()?;
    Ok(channel)
}

fn fail(code: i32, message: std::fmt::Arguments<'_>) -> ! {
    // Descriptor 2 may be closed; the exit code says the same in one number.
    let _ = writeln!(io::stderr(), "querybox-jail: {message}");
    exit(code)
}
