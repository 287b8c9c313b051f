//! Who asks: every request carries a token, and a token is known by its digest only.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use giga_formats::api::Role;
use giga_store::{Key, Store, StoreError};
use sha2::{Digest as _, Sha256};

use super::App;
use super::problem::{Answer, Refusal};

type Fingerprint = [u8; 32];

/// A new token: 256 bits of the system's chance.
pub(crate) fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    Ok(format!("giga_{}", digits.collect::<String>()))
}

/// What is kept of a token. It has as much chance in it as its digest, so no salt is needed.
pub(crate) fn digest(token: &str) -> Fingerprint {
    Sha256::digest(token.as_bytes()).into()
}

/// Who asks, as a handler sees it.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Arc<Key>);

impl Caller {
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The projects it sees, or `None` where it sees all.
    pub(crate) fn projects(&self) -> Option<&[String]> {
        let all = self.0.role == Role::Operator || self.0.projects.is_empty();
        (!all).then_some(self.0.projects.as_slice())
    }

    pub(crate) fn may_use(&self, project: &str) -> bool {
        self.projects().is_none_or(|projects| projects.iter().any(|name| name == project))
    }

    /// # Errors
    /// Refuses everyone but operators.
    pub(crate) fn must_operate(&self) -> Answer<()> {
        if self.0.role == Role::Operator {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("key `{}` is a user's, and only operators may do this", self.0.name)))
    }
}

/// The keys by the digests of their tokens, in memory: a lookup by digest tells nothing by how long it takes.
#[derive(Debug, Default)]
pub(crate) struct Keys(RwLock<HashMap<Fingerprint, Arc<Key>>>);

impl Keys {
    /// The key of a token. The store is asked where memory does not know it, so that a key that another process made
    /// counts at once.
    pub(crate) fn find(&self, store: &Store, token: &str) -> Result<Option<Arc<Key>>, StoreError> {
        let digest = digest(token);
        if let Some(key) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(Some(Arc::clone(key)));
        }
        let Some(key) = store.key(&digest)?.map(Arc::new) else { return Ok(None) };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(digest, Arc::clone(&key));
        Ok(Some(key))
    }

    pub(crate) fn forget(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|_, key| key.name != name);
    }
}

/// Lets nobody in without a token: no address is open, not even on loopback, where every user of the machine can knock.
pub(crate) async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.split_once(' '));
    let token =
        token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let found = token.map_or(Ok(None), |token| app.keys.find(&app.store, token));
    match found {
        Ok(Some(key)) => {
            request.extensions_mut().insert(Caller(key));
            next.run(request).await
        }
        Ok(None) => Refusal::no_token().into_response(),
        Err(error) => Refusal::from(error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use giga_units::Instant;

    use super::*;

    #[test]
    fn tokens_differ_and_are_long() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 5 + 64);
        assert_ne!(digest(&one), digest(&other));
    }

    #[test]
    fn a_key_opens_its_projects_only() {
        let check = |role, projects: &[&str], expected: (bool, bool)| {
            let projects = projects.iter().map(|&name| name.to_owned()).collect();
            let created = Instant::unix_milliseconds(0);
            let caller = Caller(Arc::new(Key { name: "anna".into(), role, projects, created }));
            assert_eq!((caller.may_use("bio"), caller.must_operate().is_ok()), expected);
        };
        check(Role::User, &["bio"], (true, false));
        check(Role::User, &["chem"], (false, false));
        check(Role::User, &[], (true, false));
        check(Role::Operator, &["chem"], (true, true));
    }
}
