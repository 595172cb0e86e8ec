//! Everything a session needs before its driver is started.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use querybox_launcher::{Described, FieldKind, FieldRole, FileGrant, FormField};
use querybox_store::{
    Connection, ConnectionId, ConnectionName, Credential, Deadline, DriverType, HistoryLevel, SecretPlace,
};
use querybox_vault::Secret;
use tokio::io::AsyncReadExt as _;

use super::SessionError;
use crate::{
    ConnectionError, ConnectionKey, Core, CredentialError,
    connections::{NoPlugin, from_saved},
    form::{Given, GivenValue, check, check_secrets, takes_content},
};

/// A certificate or key is a few kilobytes, a bundle of all public ones a few hundred.
const CONTENT_BYTES_MAX: u64 = 4 << 20;

/// The connection that a session is for.
#[derive(Debug, Clone)]
pub enum Target {
    Saved(ConnectionKey),
    Unsaved(Box<Unsaved>),
}

/// A connection that is not saved, or not yet.
#[derive(Debug, Clone)]
pub struct Unsaved {
    pub driver_type: DriverType,
    pub given: Vec<Given>,
    pub read_only: bool,
    pub deadline: Deadline,
    pub rows_max: Option<u64>,
    pub bytes_max: Option<u64>,
    pub startup_sql: Option<String>,
    pub default_schema: Option<String>,
    pub secret_place: SecretPlace,
    pub history: HistoryLevel,
}

/// A connection that was found, checked against its driver's form, and made ready to be sent.
pub(crate) struct Prepared {
    /// `None`: it is not saved.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) connection_name: Option<ConnectionName>,
    pub(crate) driver: Arc<Described>,
    /// The database's file, which the driver may open.
    pub(crate) grant: Option<FileGrant>,
    /// As `settings.given`, with the contents of files in place of their paths.
    pub(crate) settings: Unsaved,
    pub(crate) secrets: Vec<(String, Secret)>,
    /// Connections that one statement may read over at the same time.
    pub(crate) connections_max: u32,
}

impl Core {
    /// Finds the connection and its driver, and checks one against the other.
    pub(crate) async fn prepare(
        &self,
        target: Target,
        secrets: Vec<(String, Secret)>,
    ) -> Result<Prepared, SessionError> {
        let (saved, mut settings) = match target {
            Target::Unsaved(unsaved) => (None, *unsaved),
            Target::Saved(key) => {
                let (found, stored) = self.connection_with_credentials(&key).await?;
                let settings = found.settings.clone();
                let unsaved = Unsaved {
                    driver_type: settings.driver_type,
                    given: from_saved(settings.parameters),
                    read_only: settings.read_only,
                    deadline: settings.deadline,
                    rows_max: settings.rows_max,
                    bytes_max: settings.bytes_max,
                    startup_sql: settings.startup_sql,
                    default_schema: settings.default_schema,
                    secret_place: settings.secret_place,
                    history: settings.history,
                };
                (Some((found, stored)), unsaved)
            }
        };
        let driver_type = &settings.driver_type;
        let driver = self
            .plugins
            .find(driver_type)
            .await
            .ok_or_else(|| ConnectionError::from(NoPlugin(driver_type.clone())))?;
        let form = &driver.info.form;
        settings.given = check(form, settings.given).map_err(ConnectionError::from)?;
        let connection = saved.as_ref().map(|(found, _)| found.id);
        let connection_name = saved.as_ref().map(|(found, _)| found.settings.name.clone());
        // What is given for this session stands in place of all that is stored, so that it works without keyring and vault.
        let secrets = match (saved, settings.secret_place) {
            (Some((found, stored)), SecretPlace::Keyring | SecretPlace::Vault) if secrets.is_empty() => {
                self.stored_secrets(form, &found, stored).await?
            }
            _ => secrets,
        };
        check_secrets(form, secrets.iter().map(|(name, _)| name.as_str())).map_err(ConnectionError::from)?;
        if let Some(field) = missing_secret(form, settings.secret_place, &secrets) {
            return Err(SessionError::SecretMissing(field.name.clone()));
        }
        let grant = resolve_files(form, &mut settings.given).await?;
        Ok(Prepared { connection, connection_name, driver, grant, settings, secrets, connections_max: 1 })
    }

    /// Opens what is stored of a form's secrets. What a driver has no field for any more is left alone.
    async fn stored_secrets(
        &self,
        form: &[FormField],
        connection: &Connection,
        mut stored: Vec<Credential>,
    ) -> Result<Vec<(String, Secret)>, CredentialError> {
        stored
            .retain(|credential| form.iter().any(|field| field.secret && field.name == credential.key.field));
        let Some(wanted) = form.iter().find(|field| field.secret) else { return Ok(Vec::new()) };
        if stored.is_empty() {
            return Err(CredentialError::Missing { field: wanted.name.clone() });
        }
        self.open_stored(connection, stored).await
    }
}

/// A secret field that has to be given and was not.
fn missing_secret<'a>(
    form: &'a [FormField],
    place: SecretPlace,
    secrets: &[(String, Secret)],
) -> Option<&'a FormField> {
    let asks = match place {
        SecretPlace::NotNeeded => false,
        SecretPlace::Ask | SecretPlace::Keyring | SecretPlace::Vault => secrets.is_empty(),
    };
    form.iter()
        .filter(|field| field.secret && (field.required || asks))
        .find(|field| !secrets.iter().any(|(name, _)| *name == field.name))
}

/// Resolves the database's file, which is returned, and reads all other files.
async fn resolve_files(form: &[FormField], given: &mut [Given]) -> Result<Option<FileGrant>, SessionError> {
    let mut granted = None;
    for Given { name, value } in given {
        let GivenValue::Text(text) = value else { continue };
        let Some(field) = form.iter().find(|field| field.name == *name) else { continue };
        if field.kind != FieldKind::FilePath {
            continue;
        }
        let path = PathBuf::from(text.as_str());
        let unusable = |source| SessionError::File { path: path.clone(), source };
        if takes_content(field) {
            *value = GivenValue::Content(read(&path).await.map_err(unusable)?);
        } else if field.role == FieldRole::File {
            let resolved = resolve(path.clone()).await.map_err(unusable)?;
            // The driver opens what was granted, not what the links say by then.
            let Some(utf8) = resolved.path().to_str() else {
                return Err(unusable(io::Error::new(
                    io::ErrorKind::InvalidFilename,
                    "its real path is not UTF-8",
                )));
            };
            *value = GivenValue::Text(utf8.to_owned());
            granted = Some(resolved);
        }
    }
    Ok(granted)
}

async fn resolve(path: PathBuf) -> io::Result<FileGrant> {
    tokio::task::spawn_blocking(move || FileGrant::resolve(&path)).await.map_err(io::Error::other)?
}

async fn read(path: &Path) -> io::Result<Bytes> {
    // Opening a FIFO waits for its writer, and some devices never end.
    if !tokio::fs::metadata(path).await?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut content = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(CONTENT_BYTES_MAX + 1).read_to_end(&mut content).await?;
    if content.len() as u64 > CONTENT_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 MiB"));
    }
    Ok(Bytes::from(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, secret: bool, required: bool) -> FormField {
        FormField {
            name: name.into(),
            label: name.into(),
            kind: FieldKind::Password,
            role: FieldRole::Option,
            secret,
            required,
            default: None,
            placeholder: String::new(),
            help: String::new(),
        }
    }

    #[test]
    fn a_connection_that_asks_is_given_something_and_all_that_is_required() {
        let form = [field("user", false, true), field("password", true, false), field("key", true, true)];
        let check = |form: &[FormField], place, given: &[&str], missing: Option<&str>| {
            let given: Vec<_> =
                given.iter().map(|name| ((*name).to_owned(), Secret::new(Vec::new()))).collect();
            assert_eq!(missing_secret(form, place, &given).map(|field| field.name.as_str()), missing);
        };
        check(&form, SecretPlace::Ask, &[], Some("password"));
        check(&form, SecretPlace::Ask, &["password"], Some("key"));
        check(&form, SecretPlace::Ask, &["key"], None);
        check(&form, SecretPlace::NotNeeded, &[], Some("key"));
        check(&form[..2], SecretPlace::NotNeeded, &[], None);
        check(&form[..2], SecretPlace::Vault, &[], Some("password"));
        check(&form[..1], SecretPlace::Ask, &[], None);
    }

    #[tokio::test]
    async fn a_certificate_is_a_regular_file_of_bounded_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "certificate").unwrap();
        assert_eq!(read(&path).await.unwrap(), "certificate");
        let huge = std::fs::File::create(&path).unwrap();
        huge.set_len(CONTENT_BYTES_MAX + 1).unwrap();
        assert_eq!(read(&path).await.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        // A device that never ends.
        assert_eq!(read(Path::new("/dev/zero")).await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
