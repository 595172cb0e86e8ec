//! Where master keys come from, as Core is given it.

use std::{
    env,
    sync::{Mutex, PoisonError},
};

use querybox_core::{KeySource, KeySourceError};
use querybox_vault::{MasterKeys, Secret};

use crate::{
    home::Home,
    keys::source::{Source, Unusable},
};

/// The source that is configured, and nothing is read from it yet.
pub(crate) fn find(home: &Home) -> Result<Option<Source>, Unusable> {
    Source::find(|name| env::var_os(name), &home.master_key())
}

/// The source for Core, which asks when it first needs a key.
pub(crate) fn source(home: &Home) -> KeySource {
    let home = home.clone();
    // A descriptor gives its keys once only, and Core may ask again when keys were registered meanwhile.
    let read_once: Mutex<Option<Secret>> = Mutex::new(None);
    KeySource::new(move || {
        let failed = |why: Unusable| KeySourceError { message: why.message };
        let Some(source) = find(&home).map_err(failed)? else { return Ok(None) };
        let mut kept = read_once.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = &*kept {
            let again = MasterKeys::parse(text);
            return again.map(Some).map_err(|error| KeySourceError { message: error.to_string() });
        }
        let keys = source.read().map_err(failed)?;
        if matches!(source, Source::Descriptor(_) | Source::Environment(_)) {
            *kept = Some(text_of(&keys));
        }
        Ok(Some(keys))
    })
}

/// The keys as a source gives them, a line each.
fn text_of(keys: &MasterKeys) -> Secret {
    // With room for all, so that no copy is left behind by growing.
    let mut text = Vec::with_capacity(64 * keys.iter().count());
    for key in keys.iter() {
        // Exposed to memory that is wiped as the key's own.
        text.extend_from_slice(key.to_text().expose());
        text.push(b'\n');
    }
    Secret::new(text)
}
