//! The first secret of a connection, saved together with it.

use std::fmt;

use querybox_store::{
    Connection, ConnectionId, ConnectionSettings, Credential, CredentialKey, Error as StoreError, Owner,
    SecretPlace,
};
use querybox_vault::Secret;

use super::{CredentialError, StoredPlace, check_secret, secret_field};
use crate::{ConnectionError, Core, connections::NoPlugin};

/// A secret that is to be stored with a new connection.
pub struct NewSecret {
    /// `None`: the form's password.
    pub field: Option<String>,
    pub secret: Secret,
    /// `None`: where the connection says; when it says neither, the keyring where there is one, else the vault where there is
    /// a master key.
    pub place: Option<StoredPlace>,
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSecret(..)")
    }
}

impl Core {
    /// Saves a new connection and a secret in one moment: nobody ever sees one without the other, whatever ends in between.
    /// The connection says the place where the secret lies.
    ///
    /// # Errors
    ///
    /// Those of [`create_connection`](Self::create_connection) and of [`set_credential`](Self::set_credential). Nothing is
    /// saved then.
    pub async fn create_connection_with_secret(
        &self,
        mut settings: ConnectionSettings,
        user: Owner,
        new: NewSecret,
    ) -> Result<(Connection, Credential), CredentialError> {
        let NewSecret { field, secret, place } = new;
        check_secret(&secret)?;
        if settings.secret_place == SecretPlace::NotNeeded {
            // A secret is given, so that one is needed.
            settings.secret_place = SecretPlace::Ask;
        }
        let settings = self.check_settings(settings).await?;
        let driver = self.plugins.find(&settings.driver_type).await;
        let driver = driver.ok_or_else(|| ConnectionError::from(NoPlugin(settings.driver_type.clone())))?;
        let field = secret_field(&driver.info.form, field).map_err(ConnectionError::from)?;
        let store = self.store()?;
        // Told before the secret is put anywhere. Whether the name is free in the end, the store says below.
        match store.connection_named(&settings.name).await {
            Ok(_) => return Err(ConnectionError::NameTaken(settings.name).into()),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let place = self.place_for_secret(&store, place, settings.secret_place).await?;
        let now = self.now();
        let connection = ConnectionId::make(now);
        let key = CredentialKey { connection, owner: settings.secret_scope.owner(user), field };
        let kept = self.keep(&store, place, &key, &settings.name, secret).await?;
        let made = store.create_connection_with_credential(key, settings, kept.clone(), now).await;
        let settled = self.settle(&store, &kept, None, made).await?;
        self.tell_connection(connection);
        Ok(settled)
    }
}
