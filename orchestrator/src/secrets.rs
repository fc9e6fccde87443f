//! What is never shown: the credentials in use. AWS itself repeats a session token when it refuses a signature.

use std::{
    borrow::Cow,
    sync::{PoisonError, RwLock},
};

use aws_sdk_s3::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};

/// Shorter ones stand for nothing (an emulator takes any), and would black out words.
const SHORTEST: usize = 16;
/// What is shown in their place.
const HIDDEN: &str = "***";

/// Every secret that this process has held.
static HELD: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Keeps a secret from being shown from now on.
fn conceal(secret: &str) {
    if secret.len() >= SHORTEST && !HELD.read().unwrap_or_else(PoisonError::into_inner).iter().any(|s| s == secret) {
        HELD.write().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
    }
}

/// `text` without the secrets.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for secret in HELD.read().unwrap_or_else(PoisonError::into_inner).iter() {
        if shown.contains(secret.as_str()) {
            shown = Cow::Owned(shown.replace(secret.as_str(), HIDDEN));
        }
    }
    shown
}

/// Bytes without the secrets; what is no text is left as it is.
pub fn scrub_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(bytes).map(scrub) {
        Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        _ => Cow::Borrowed(bytes),
    }
}

/// Credentials that are concealed before anybody has them.
#[derive(Debug)]
pub struct Concealing(pub SharedCredentialsProvider);

impl ProvideCredentials for Concealing {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        aws_credential_types::provider::future::ProvideCredentials::new(async {
            let found: Credentials = self.0.provide_credentials().await?;
            let parts = [Some(found.access_key_id()), Some(found.secret_access_key()), found.session_token()];
            parts.into_iter().flatten().for_each(conceal);
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_and_words_are() {
        conceal("a-session-token-of-some-length");
        conceal("any");
        let said = scrub("any token a-session-token-of-some-length, twice: a-session-token-of-some-length");
        assert_eq!(said, "any token ***, twice: ***");
        assert_eq!(*scrub_bytes(b"\xff a-session-token-of-some-length"), *b"\xff a-session-token-of-some-length");
    }
}
