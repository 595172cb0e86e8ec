//! Opening what is stored, for a session.

use querybox_store::{Connection, Credential, Kept};
use querybox_vault::Secret;

use super::{CredentialError, local_user, vault::open};
use crate::{ConnectionError, ConnectionKey, Core};

impl Core {
    /// A connection, and the credentials that count for the user of this Core, as they are at one moment.
    pub(crate) async fn connection_with_credentials(
        &self,
        key: &ConnectionKey,
    ) -> Result<(Connection, Vec<Credential>), ConnectionError> {
        let store = self.store()?;
        // Until there are users, whoever can reach Core is its one local user.
        let user = local_user();
        Ok(match key {
            ConnectionKey::Id(id) => store.connection_with_credentials(*id, user).await?,
            ConnectionKey::Name(name) => store.connection_named_with_credentials(name, user).await?,
        })
    }

    /// Opens stored secrets, for a session of this connection alone.
    pub(crate) async fn open_stored(
        &self,
        connection: &Connection,
        stored: Vec<Credential>,
    ) -> Result<Vec<(String, Secret)>, CredentialError> {
        let store = self.store()?;
        let mut secrets = Vec::with_capacity(stored.len());
        let has_keyring_entries = stored.iter().any(|credential| credential.kept == Kept::Keyring);
        let owner = stored.first().map(|credential| credential.key.owner.clone());
        for Credential { key, kept, .. } in stored {
            let secret = match kept {
                Kept::Keyring => {
                    let found = self.keyring.get(&key).await?;
                    found.ok_or_else(|| CredentialError::Missing { field: key.field.clone() })?
                }
                Kept::Sealed { blob, .. } => {
                    let keyset = self.vault.keyset(&store).await?;
                    open(&store, &keyset, &key, &blob)
                        .map_err(|source| CredentialError::DoesNotOpen { field: key.field.clone(), source })?
                }
            };
            secrets.push((key.field, secret));
        }
        // An entry of the keyring has no moment in common with the store: it may have been set for another host since.
        if has_keyring_entries && store.connection(connection.id).await?.revision != connection.revision {
            return Err(ConnectionError::Changed(connection.id).into());
        }
        if let Some(owner) = owner {
            store.touch_credentials(connection.id, owner, self.now());
        }
        Ok(secrets)
    }
}
