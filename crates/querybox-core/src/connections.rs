//! Keeping connections.

use querybox_launcher::{FieldRole, FormField};
use querybox_store::{
    Connection, ConnectionId, ConnectionName, ConnectionSettings, DriverType, Error as StoreError, Parameter,
    SecretPlace,
};

use crate::{
    Core, CredentialError, Forgotten, KeptId, ShuttingDown,
    form::{Given, GivenValue, ParameterError, check, check_no_secret_needed},
    url::{self, UrlError},
};

/// Names a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionKey {
    Id(ConnectionId),
    /// Compared without regard to case.
    Name(ConnectionName),
}

/// What a URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedUrl {
    pub driver_type: String,
    /// A path stays relative when it is: the caller knows relative to what.
    pub parameters: Vec<Given>,
}

/// A connection that was changed.
#[derive(Debug)]
pub struct Updated {
    pub connection: Connection,
    /// Its secrets, when they were dropped.
    pub dropped: Forgotten,
    /// Why they were: "driver", "secret place", "secret scope", or names of parameters.
    pub dropped_for: Vec<String>,
}

/// Why a connection could not be kept or found. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Holds the id or the name that was asked for.
    #[error("there is no connection {0}")]
    NotFound(String),
    #[error("there already is a connection named {0}")]
    NameTaken(ConnectionName),
    /// Somebody else changed it, or its secret, since it was read.
    #[error("connection {0} was changed meanwhile")]
    Changed(ConnectionId),
    #[error(transparent)]
    NoPlugin(#[from] NoPlugin),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the store of connections does not work")]
    Store(#[source] StoreError),
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
}

/// No usable driver of a type lies in the plugin folders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no usable driver for {0}")]
pub struct NoPlugin(pub DriverType);

impl From<StoreError> for ConnectionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(key) => Self::NotFound(key),
            StoreError::NameTaken(name) => Self::NameTaken(name),
            StoreError::Conflict(id) => Self::Changed(id),
            StoreError::NoKey(_)
            | StoreError::KeyRetired(_)
            | StoreError::KeyInUse { .. }
            | StoreError::KeysPresent
            | StoreError::KeysUsed { .. }
            | StoreError::Newer { .. }
            | StoreError::ChangedMigration { .. }
            | StoreError::Full
            | StoreError::Busy
            | StoreError::Storage(_) => Self::Store(error),
        }
    }
}

/// Connections. Listing, showing, duplicating and deleting need no driver; saving new content does, for its form.
impl Core {
    /// Saves a new connection.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NameTaken`], [`ConnectionError::NoPlugin`], [`ConnectionError::Parameter`].
    pub async fn create_connection(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connection, ConnectionError> {
        let settings = self.check_settings(settings).await?;
        let connection = self.store()?.create_connection(settings, self.now()).await?;
        self.tell_connection(connection.id);
        Ok(connection)
    }

    /// All connections by folder, then by name.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn connections(&self) -> Result<Vec<Connection>, ConnectionError> {
        Ok(self.store()?.connections().await?)
    }

    /// One connection.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`].
    pub async fn connection(&self, key: &ConnectionKey) -> Result<Connection, ConnectionError> {
        let store = self.store()?;
        Ok(match key {
            ConnectionKey::Id(id) => store.connection(*id).await?,
            ConnectionKey::Name(name) => store.connection_named(name).await?,
        })
    }

    /// Replaces what is saved of a connection, when `revision` is still the current one. A connection that leads elsewhere
    /// than before loses its secrets in the same moment.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`], [`ConnectionError::Changed`], and those of
    /// [`create_connection`](Self::create_connection).
    pub async fn update_connection(
        &self,
        id: ConnectionId,
        revision: u64,
        settings: ConnectionSettings,
    ) -> Result<Updated, CredentialError> {
        let settings = self.check_settings(settings).await?;
        let store = self.store()?;
        let before = store.connection(id).await?;
        if before.revision != revision {
            return Err(ConnectionError::Changed(id).into());
        }
        let driver = self.plugins.find(&settings.driver_type).await;
        let form = driver.as_ref().map(|described| described.info.form.as_slice()).unwrap_or_default();
        let dropped_for = secret_losses(form, &before.settings, &settings);
        if dropped_for.is_empty() {
            let connection = store.update_connection(id, revision, settings, self.now()).await?;
            self.tell_connection(id);
            return Ok(Updated { connection, dropped: Forgotten::default(), dropped_for });
        }
        let (connection, dropped) =
            store.update_connection_and_drop_credentials(id, revision, settings, self.now()).await?;
        self.tell_connection(id);
        let keyring_entries_left = self.remove_forgotten(&store, &dropped).await?;
        let dropped_for = if dropped.is_empty() { Vec::new() } else { dropped_for };
        let mut fields: Vec<String> = dropped.into_iter().map(|credential| credential.key.field).collect();
        fields.sort();
        fields.dedup();
        Ok(Updated { connection, dropped: Forgotten { fields, keyring_entries_left }, dropped_for })
    }

    /// Saves a copy under another name.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`], [`ConnectionError::NameTaken`].
    pub async fn duplicate_connection(
        &self,
        key: &ConnectionKey,
        name: ConnectionName,
    ) -> Result<Connection, ConnectionError> {
        let original = self.connection(key).await?;
        let copy = self.store()?.duplicate_connection(original.id, name, self.now()).await?;
        self.tell_connection(copy.id);
        Ok(copy)
    }

    /// Forgets a connection and its secrets. Answers how many entries of the keyring could not be removed now.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`].
    pub async fn delete_connection(&self, key: &ConnectionKey) -> Result<usize, CredentialError> {
        let id = match key {
            ConnectionKey::Id(id) => *id,
            ConnectionKey::Name(_) => self.connection(key).await?.id,
        };
        let store = self.store()?;
        let forgotten = store.delete_connection(id).await?;
        self.tell_kept(KeptId::Connection(id), true);
        self.remove_forgotten(&store, &forgotten).await
    }

    /// Reads a URL, or a list of keywords, into the parameters of a connection. Nothing is saved.
    ///
    /// # Errors
    ///
    /// [`UrlError::Password`] for a URL with a password; no error holds more of the URL than its scheme and the names of its
    /// options.
    pub async fn parse_url(&self, text: &str) -> Result<ParsedUrl, UrlError> {
        if url::is_keywords(text) {
            let listing = self.plugins.list().await;
            let (driver, parameters) = url::parse_bare_keywords(text, listing.usable())?;
            return Ok(ParsedUrl { driver_type: driver.driver_type.clone(), parameters });
        }
        let (scheme, rest) = url::scheme(text)?;
        let Some(described) = self.plugins.find_by_scheme(&scheme).await else {
            return Err(UrlError::UnknownScheme(scheme));
        };
        let parameters = url::parse(rest, &described.info)?;
        Ok(ParsedUrl { driver_type: described.info.driver_type.clone(), parameters })
    }

    /// Checks the parameters against the form of the driver, and takes empty ones out.
    pub(crate) async fn check_settings(
        &self,
        mut settings: ConnectionSettings,
    ) -> Result<ConnectionSettings, ConnectionError> {
        let driver_type = &settings.driver_type;
        let described = self.plugins.find(driver_type).await.ok_or_else(|| NoPlugin(driver_type.clone()))?;
        if settings.secret_place == SecretPlace::NotNeeded {
            check_no_secret_needed(&described.info.form)?;
        }
        let given = check(&described.info.form, from_saved(settings.parameters))?;
        settings.parameters = to_saved(given)?;
        Ok(settings)
    }
}

/// Why a connection with these changes has to be given its secrets anew: what they were set for is another thing now. The
/// user counts too, for the password is the user's.
fn secret_losses(form: &[FormField], before: &ConnectionSettings, after: &ConnectionSettings) -> Vec<String> {
    let mut losses = Vec::new();
    let is_stored = |place| matches!(place, SecretPlace::Keyring | SecretPlace::Vault);
    if before.driver_type != after.driver_type {
        losses.push("driver".to_owned());
    }
    if is_stored(before.secret_place) && !is_stored(after.secret_place) {
        losses.push("secret place".to_owned());
    }
    if before.secret_scope != after.secret_scope {
        losses.push("secret scope".to_owned());
    }
    let leads = form.iter().filter(|field| match field.role {
        FieldRole::Host | FieldRole::Port | FieldRole::User | FieldRole::File | FieldRole::Tls => true,
        FieldRole::Password | FieldRole::Database | FieldRole::Option => false,
    });
    for field in leads.filter(|field| !field.secret) {
        let value = |settings: &ConnectionSettings| {
            let given = settings.parameters.iter().find(|parameter| parameter.name == field.name);
            given.map(|parameter| parameter.value.clone()).or_else(|| field.default.clone())
        };
        if value(before) != value(after) {
            losses.push(field.name.clone());
        }
    }
    losses
}

/// Saved parameters as if they were given now.
pub(crate) fn from_saved(parameters: Vec<Parameter>) -> Vec<Given> {
    parameters
        .into_iter()
        .map(|Parameter { name, value }| Given { name, value: GivenValue::Text(value) })
        .collect()
}

/// Parameters as they are saved: the path of a certificate is, its content is not.
///
/// # Errors
///
/// [`ParameterProblem::Content`](crate::ParameterProblem::Content).
pub fn to_saved(given: Vec<Given>) -> Result<Vec<Parameter>, ParameterError> {
    given
        .into_iter()
        .map(|Given { name, value }| match value {
            GivenValue::Text(value) => Ok(Parameter { name, value }),
            GivenValue::Content(_) => Err(ParameterError::new(&name, crate::ParameterProblem::Content)),
        })
        .collect()
}
