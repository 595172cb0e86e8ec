//! The first run: makes the sample database and its connection, once.
//!
//! What has been done is remembered in a mark of its own, so that a sample that the user removes stays removed. The mark
//! is locked meanwhile: of two programs that start at once one makes the sample, and the other waits for it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::Path,
};

use querybox_contracts::{
    core::v1::{self as core, connection_service_client::ConnectionServiceClient},
    plugin::v1 as plugin,
};
use rustix::fs::{FlockOperation, OFlags, flock};

use crate::{
    composition::{Channel, UNPRIVILEGED_ID},
    failure::Failure,
    home::Home,
    messages::Messages,
    reason::Reason,
    sample,
};

/// The connection's name, and its file's in the home folder.
const NAME: &str = "sample";
const FILE: &str = "sample.sqlite";

/// Makes the sample unless that was done before.
///
/// A failure is told and nothing more: only who asks for the sample misses it.
pub(crate) async fn make_sample(home: &Home, channel: &Channel, messages: &Messages) {
    match File::open(home.sample_mark()).and_then(|mark| is_set(&mark)) {
        Ok(true) => return,
        Ok(false) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return messages.warn(&Failure::keeping(&home.sample_mark(), &error).message),
    }
    if let Err(failure) = make_locked(home, channel, messages).await {
        messages.warn(&format!("the sample database could not be made: {failure}"));
    }
}

async fn make_locked(home: &Home, channel: &Channel, messages: &Messages) -> Result<(), Failure> {
    let path = home.sample_mark();
    let kept = |error: io::Error| Failure::keeping(&path, &error);
    // Another program may take a while to make it.
    let opening = path.clone();
    let mark = blocking(move || lock(&opening)).await?.map_err(kept)?;
    if is_set(&mark).map_err(kept)? {
        return Ok(());
    }
    let file = home.files().join(FILE);
    match save_connection(channel, &file).await {
        Ok(()) => {}
        Err(failure) => match failure.reason {
            // A run before this one was cut short, or the name is the user's.
            Some(Reason::NameTaken) => {}
            // Without the driver the sample is of no use; there may be one at the next start.
            Some(Reason::PluginNotFound) => return Ok(()),
            _ => return Err(failure),
        },
    }
    if messages.screen().stderr_is_terminal {
        messages.note("making the sample database, which happens once");
    }
    let places = home.clone();
    blocking(move || make_file(&places, &file)).await??;
    (&mark)
        .write_all(b"The sample was made. While this file is there, it is not made again.\n")
        .map_err(kept)?;
    mark.sync_all().map_err(kept)
}

fn is_set(mut mark: &File) -> io::Result<bool> {
    Ok(mark.read(&mut [0])? > 0)
}

fn lock(path: &Path) -> io::Result<File> {
    let mark =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    flock(&mark, FlockOperation::LockExclusive)?;
    Ok(mark)
}

async fn save_connection(channel: &Channel, file: &Path) -> Result<(), Failure> {
    let path = file.to_str().ok_or_else(|| Failure::usage("the home folder's path is not UTF-8"))?;
    let spec = core::ConnectionSpec {
        name: NAME.to_owned(),
        driver_type: "sqlite".to_owned(),
        parameters: vec![plugin::Parameter {
            name: "file".to_owned(),
            value: Some(plugin::parameter::Value::Text(path.to_owned())),
        }],
        color: core::EnvironmentColor::Green.into(),
        ..core::ConnectionSpec::default()
    };
    ConnectionServiceClient::new(channel.clone())
        .create_connection(core::CreateConnectionRequest { spec: Some(spec), secret: None })
        .await?;
    Ok(())
}

/// Makes the file, in the place of whatever has its name. For root it then belongs, with its folder, to the user that
/// drivers run as.
///
/// From the first run on that user, and so a driver, can put anything under any name into the folder. Root therefore never
/// follows a name in there: the file is made in the home, handed over by its descriptor, and only then renamed.
fn make_file(home: &Home, file: &Path) -> Result<(), Failure> {
    let folder = home.files();
    let owner = match rustix::process::geteuid().is_root() {
        true => {
            hand_over(home.path(), &folder).map_err(|error| Failure::keeping(&folder, &error))?;
            Some(UNPRIVILEGED_ID)
        }
        false => None,
    };
    sample::create(file, home.path(), owner).map_err(|error| explain(file, &error))
}

/// Gives root's folder in `home` to the user that drivers run as.
fn hand_over(home: &Path, folder: &Path) -> io::Result<()> {
    // Whoever owns the home can rename what is in it.
    let is_roots = fs::symlink_metadata(home).is_ok_and(|found| found.is_dir() && found.uid() == 0);
    let no_link = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(no_link).open(folder)?;
    if !is_roots || ![0, UNPRIVILEGED_ID].contains(&opened.metadata()?.uid()) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
    }
    fchown(&opened, Some(UNPRIVILEGED_ID), Some(UNPRIVILEGED_ID))
}

fn explain(file: &Path, error: &anyhow::Error) -> Failure {
    let is_full = |kind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let full_disk = error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| is_full(error.kind()))
            || cause
                .downcast_ref::<rusqlite::Error>()
                .is_some_and(|error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    });
    match full_disk {
        true => Failure::machinery(format!("disk is full: cannot write {}", file.display())),
        false => Failure::machinery(format!("{error:#}")),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Failure::machinery("making the sample ended by a mistake of ours"))
}
