//! Opening what is stored, for a session.

use querybox_store::{Connection, Credential, Kept};
use querybox_vault::Secret;

use super::{CredentialError, local_user, vault::open};
use crate::{ConnectionError, ConnectionKey, Core, core::StoreLease};

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

    /// Opens stored secrets, for a session of this connection alone. They were read in one moment with it, and what a
    /// credential names was made for it: nothing that is set meanwhile for another host is ever met here.
    pub(crate) async fn open_stored(
        &self,
        connection: &Connection,
        stored: Vec<Credential>,
    ) -> Result<Vec<(String, Secret)>, CredentialError> {
        let store = self.store()?;
        let mut secrets = Vec::with_capacity(stored.len());
        let owner = stored.first().map(|credential| credential.key.owner.clone());
        for credential in stored {
            let secret = self.open_one(&store, connection, &credential).await?;
            secrets.push((credential.key.field, secret));
        }
        if let Some(owner) = owner {
            store.touch_credentials(connection.id, owner, self.now());
        }
        Ok(secrets)
    }

    async fn open_one(
        &self,
        store: &StoreLease,
        connection: &Connection,
        credential: &Credential,
    ) -> Result<Secret, CredentialError> {
        let Credential { key, kept, .. } = credential;
        match kept {
            Kept::Keyring(entry) => {
                if let Some(secret) = self.keyring.get(store, *entry).await? {
                    return Ok(secret);
                }
                // It went away between the store's answer and the keyring's, or somebody took it out of the keyring.
                let now = store.credential(key).await?;
                Err(match now.is_some_and(|now| now.kept == *kept) {
                    true => CredentialError::Missing { field: key.field.clone() },
                    false => ConnectionError::Changed(connection.id).into(),
                })
            }
            Kept::Sealed { blob, .. } => {
                let keyset = self.vault.keyset(store).await?;
                open(store, &keyset, key, blob)
                    .map_err(|source| CredentialError::DoesNotOpen { field: key.field.clone(), source })
            }
        }
    }
}
