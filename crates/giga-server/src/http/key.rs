//! Who asks: every request carries a token, and a token is known by its digest only.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use giga_formats::api::{ALL_PROJECTS, Role};
use giga_store::{Key, Store, StoreError};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::App;
use super::health::OPEN;
use super::problem::{Answer, Refusal};

/// A digest that stands for a text.
pub(crate) type Fingerprint = [u8; 32];

/// A new token: 256 bits of the system's chance.
pub(crate) fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    Ok(format!("giga_{}", digits.collect::<String>()))
}

/// What is kept of a token, and remembered of a request. A token has as much chance in it as its digest, so no salt is
/// needed.
pub(crate) fn digest(text: &str) -> Fingerprint {
    Sha256::digest(text.as_bytes()).into()
}

/// Who asks, as a handler sees it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    key: Arc<Key>,
    fingerprint: Fingerprint,
}

impl Caller {
    pub(crate) fn name(&self) -> &str {
        &self.key.name
    }

    /// The projects it sees, or `None` where it sees all.
    pub(crate) fn projects(&self) -> Option<&[String]> {
        let every = || self.key.projects.iter().any(|name| name == ALL_PROJECTS);
        let all = match self.key.role {
            Role::Operator => true,
            Role::User => every(),
            Role::Metrics => false,
        };
        (!all).then_some(self.key.projects.as_slice())
    }

    pub(crate) fn may_use(&self, project: &str) -> bool {
        self.projects().is_none_or(|projects| projects.iter().any(|name| name == project))
    }

    /// # Errors
    /// Refuses everyone but operators.
    pub(crate) fn must_operate(&self) -> Answer<()> {
        if self.key.role == Role::Operator {
            return Ok(());
        }
        Err(Refusal::forbidden(format!(
            "key `{}` is a user's, and only operators may do this",
            self.key.name
        )))
    }

    /// # Errors
    /// Refuses everyone but operators and those who watch.
    pub(crate) fn must_watch(&self) -> Answer<()> {
        match self.key.role {
            Role::Operator | Role::Metrics => Ok(()),
            Role::User => Err(Refusal::forbidden(format!(
                "key `{}` is a user's, and figures of the whole federation are for keys of the role `metrics`",
                self.key.name
            ))),
        }
    }

    /// Whether it may come in at an address at all: who watches opens one, and nothing that will be added.
    fn may_enter(&self, path: &str) -> bool {
        self.key.role != Role::Metrics || path == METRICS
    }
}

/// The keys by the digests of their tokens, in memory: a lookup by digest tells nothing by how long it takes.
#[derive(Debug)]
pub(crate) struct Keys {
    known: RwLock<Known>,
    /// Tells those who wait that a key was revoked.
    revoked: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Known {
    keys: HashMap<Fingerprint, Arc<Key>>,
    /// How many times a key was revoked: what was read before may not be kept after.
    revoked: u64,
}

impl Default for Keys {
    fn default() -> Self {
        Self { known: RwLock::default(), revoked: watch::Sender::new(()) }
    }
}

impl Keys {
    /// Who a token belongs to. The store is asked where memory does not know it, so that a key that another process made
    /// counts at once.
    pub(crate) fn find(&self, store: &Store, token: &str) -> Result<Option<Caller>, StoreError> {
        let fingerprint = digest(token);
        let key = self.look(&fingerprint, || store.key(&fingerprint))?;
        Ok(key.map(|key| Caller { key, fingerprint }))
    }

    fn look<E>(
        &self,
        digest: &Fingerprint,
        read: impl Fn() -> Result<Option<Key>, E>,
    ) -> Result<Option<Arc<Key>>, E> {
        loop {
            let before = {
                let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
                if let Some(key) = known.keys.get(digest) {
                    return Ok(Some(Arc::clone(key)));
                }
                known.revoked
            };
            let Some(key) = read()?.map(Arc::new) else { return Ok(None) };
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            // A key that was revoked since it was read must not stay in memory.
            if known.revoked == before {
                known.keys.insert(*digest, Arc::clone(&key));
                return Ok(Some(key));
            }
        }
    }

    /// Whether the key that a caller came with still opens.
    pub(crate) fn opens(&self, caller: &Caller) -> bool {
        // Who came in is in memory until the key is revoked.
        self.known.read().unwrap_or_else(PoisonError::into_inner).keys.contains_key(&caller.fingerprint)
    }

    /// Forgets a key that the store has no more.
    pub(crate) fn forget(&self, name: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.keys.retain(|_, key| key.name != name);
        known.revoked += 1;
        drop(known);
        self.revoked.send_replace(());
    }

    /// Changes whenever a key is revoked.
    pub(crate) fn revocations(&self) -> watch::Receiver<()> {
        self.revoked.subscribe()
    }
}

/// The address that keys of the role `metrics` open.
const METRICS: &str = "/metrics";

/// Lets nobody in without a token, not even on loopback, where every user of the machine can knock; but tells everyone
/// whether the server lives and is ready.
pub(crate) async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.split_once(' '));
    let token =
        token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let found = token.map_or(Ok(None), |token| app.keys.find(&app.store, token));
    match found {
        Ok(Some(caller)) if !caller.may_enter(request.uri().path()) => {
            let detail = format!("key `{}` opens `{METRICS}` and nothing else", caller.name());
            Refusal::forbidden(detail).into_response()
        }
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) => Refusal::no_token().into_response(),
        Err(error) => Refusal::from(error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use giga_units::Instant;

    use super::*;

    #[test]
    fn tokens_differ_and_are_long() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 5 + 64);
        assert_ne!(digest(&one), digest(&other));
    }

    fn sample(role: Role, projects: &[&str]) -> Key {
        let projects = projects.iter().map(|&name| name.to_owned()).collect();
        Key { name: "anna".into(), role, projects, created: Instant::unix_milliseconds(0) }
    }

    #[test]
    fn a_key_opens_its_projects_only() {
        let check = |role, projects: &[&str], expected: (bool, bool)| {
            let caller = Caller { key: Arc::new(sample(role, projects)), fingerprint: digest("t") };
            assert_eq!((caller.may_use("bio"), caller.must_operate().is_ok()), expected);
        };
        check(Role::User, &["bio"], (true, false));
        check(Role::User, &["chem"], (false, false));
        check(Role::User, &[], (false, false));
        check(Role::User, &["*"], (true, false));
        check(Role::Operator, &[], (true, true));
        check(Role::Operator, &["chem"], (true, true));
        check(Role::Metrics, &[], (false, false));
        check(Role::Metrics, &["*"], (false, false));
    }

    #[test]
    fn who_watches_opens_one_address() {
        let check = |role, path, expected: (bool, bool)| {
            let caller = Caller { key: Arc::new(sample(role, &["bio"])), fingerprint: digest("t") };
            assert_eq!((caller.may_enter(path), caller.must_watch().is_ok()), expected);
        };
        check(Role::Metrics, "/metrics", (true, true));
        check(Role::Metrics, "/v1/sites", (false, true));
        check(Role::Metrics, "/metrics/", (false, true));
        check(Role::User, "/v1/sites", (true, false));
        check(Role::Operator, "/v1/sites", (true, true));
    }

    #[test]
    fn a_key_that_is_revoked_while_it_is_read_does_not_stay() {
        let (keys, digest) = (Keys::default(), digest("t"));
        let gone = Cell::new(false);
        let read = || {
            let found = (!gone.get()).then(|| sample(Role::User, &["bio"]));
            // Revoked between the read and what follows it.
            if !gone.replace(true) {
                keys.forget("anna");
            }
            Ok::<_, Infallible>(found)
        };
        assert_eq!(keys.look(&digest, read).unwrap(), None);
        assert!(keys.known.read().unwrap().keys.is_empty());
    }
}
