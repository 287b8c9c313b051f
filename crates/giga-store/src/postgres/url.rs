//! Where a database is and how it is spoken to: the URL of `--store`, with its policy of encryption.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::Tls;
use crate::error::chain;

/// Where a database of PostgreSQL is. It may hold a password, so it is shown without.
#[derive(Clone)]
pub struct Url {
    pub(super) config: Config,
    /// Where the connection is encrypted: whom it trusts.
    pub(super) tls: Option<Tls>,
    /// How long a lease holds.
    pub(super) lease: Duration,
}

/// Why a URL can not be used. None of them shows the URL, which may hold a password.
#[derive(Debug, Error)]
pub enum UrlError {
    /// It is for something else.
    #[error("a store is named as `postgres://USER@HOST/DATABASE`")]
    Scheme,
    /// It can not be taken apart safely.
    #[error("`@`, `/`, `?` and `#` in a name or password are written as %40, %2F, %3F and %23")]
    Ambiguous,
    /// A parameter is not known, or has no such value.
    #[error("the URL of the store: {0}")]
    Unreadable(String),
    /// A mode of encryption that does not exist.
    #[error("sslmode is one of disable, allow, prefer, require, verify-ca and verify-full")]
    Mode,
    /// Nobody can be trusted.
    #[error("TLS: no certificate to trust can be read: {0}; name a file of them with `sslrootcert=FILE`")]
    Roots(String),
}

/// How long a lease holds unless said otherwise: so long the next server waits for one that was killed.
const LEASE: Duration = Duration::from_secs(10);
/// Where Debian and others have the socket of a server on this machine.
const SOCKET: &str = "/var/run/postgresql";
/// How long one try to connect takes at most, unless the URL says otherwise.
const CONNECT_MAX: Duration = Duration::from_secs(5);

impl Url {
    /// Reads a URL as `libpq` writes them. The password may come from elsewhere, so that it needs not stand on a command
    /// line.
    ///
    /// A connection to another machine is encrypted, and its certificate checked, unless the URL says `sslmode=disable`;
    /// one to this machine is encrypted where the URL says `require` or more.
    ///
    /// # Errors
    /// Says what can not be understood, without the URL.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, UrlError> {
        if !Self::is_one(text) {
            return Err(UrlError::Scheme);
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        if text.contains('#') || place.matches('@').count() > 1 || query.contains('@') {
            return Err(UrlError::Ambiguous);
        }
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(value)),
                _ => others.push(parameter),
            }
        }
        let rest = format!("{place}?{}", others.join("&"));
        let mut config = Config::from_str(&rest).map_err(|error| UrlError::Unreadable(chain(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host_path(SOCKET);
        }
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(LEASE);
        }
        let tls = if is_encrypted(mode, is_here(&config))? {
            config.ssl_mode(SslMode::Require);
            Some(Tls::trusting(roots.as_deref()).map_err(UrlError::Roots)?)
        } else {
            config.ssl_mode(SslMode::Disable);
            None
        };
        Ok(Self { config, tls, lease: LEASE })
    }

    /// Whether a text is meant as the URL of a database.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// The same with leases that hold for so long: the sooner another server takes over from one that was killed, and the
    /// shorter may the database be out of reach before nothing is started any more.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }
}

/// Whether a connection is encrypted. Then the certificate is checked, whatever the mode: one that anybody can make hides
/// nothing from who stands in between.
fn is_encrypted(mode: Option<&str>, here: bool) -> Result<bool, UrlError> {
    match mode {
        Some("disable") => Ok(false),
        None | Some("allow" | "prefer") => Ok(!here),
        Some("require" | "verify-ca" | "verify-full") => Ok(true),
        Some(_) => Err(UrlError::Mode),
    }
}

/// Whether nobody can listen in: the database is on this machine.
fn is_here(config: &Config) -> bool {
    let host = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|at: IpAddr| at.is_loopback()),
    };
    // An address counts before the name.
    let addresses = config.get_hostaddrs();
    if addresses.is_empty() {
        config.get_hosts().iter().all(host)
    } else {
        addresses.iter().all(IpAddr::is_loopback)
    }
}

impl fmt::Display for Url {
    /// Without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let mut socket = None;
        match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => write!(f, "{name}")?,
            Some(Host::Unix(folder)) => socket = Some(folder),
            None => {}
        }
        if let Some(port) = self.config.get_ports().first() {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())?;
        socket.map_or(Ok(()), |folder| write!(f, "?host={}", folder.display()))
    }
}

impl fmt::Debug for Url {
    /// Without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_url_says_otherwise() {
        let check = |text: &str, expected: bool| {
            let url = Url::parse(text, None);
            // A machine without certificates to trust refuses too, and sends nothing.
            let encrypted = url.as_ref().map_or(true, |url| url.tls.is_some());
            assert_eq!(encrypted, expected, "{text}: {url:?}");
            assert!(matches!(url, Ok(_) | Err(UrlError::Roots(_))), "{text}: {url:?}");
        };
        check("postgres://db.example.org/giga", true);
        check("postgres://db.example.org/giga?sslmode=prefer", true);
        check("postgres://db.example.org/giga?sslmode=allow&application_name=x", true);
        check("postgres://db.example.org/giga?sslmode=disable", false);
        check("postgres://localhost,db.example.org/giga", true);
        check("postgres://localhost/giga?hostaddr=10.0.0.1", true);
        check("postgres://db.example.org/giga?hostaddr=127.0.0.1", false);
        check("postgresql://127.0.0.1:5433/giga", false);
        check("postgres://[::1]/giga?sslmode=require", true);
        check("postgres:///giga", false);
        check("postgres://giga@%2Frun%2Fpostgresql/giga", false);
    }

    #[test]
    fn no_password_is_told() {
        let url = Url::parse("postgres://anna:s3cret@localhost:5433/giga", None).unwrap();
        assert_eq!((url.to_string(), format!("{url:?}")).0, "postgres://anna@localhost:5433/giga");
        assert!(!format!("{url:?}").contains("s3cret"));
        let given = Url::parse("postgres://anna@localhost/giga", Some("other")).unwrap();
        assert_eq!(given.config.get_password(), Some(&b"other"[..]));
        assert_eq!(url.config.get_password(), Some(&b"s3cret"[..]));
        let socket = Url::parse("postgres://anna:s3cret@%2Frun%2Fpostgresql:5433/giga", None).unwrap();
        assert_eq!(socket.to_string(), "postgres://anna@:5433/giga?host=/run/postgresql");
        let wrong = [
            "mysql://anna:s3cret@localhost/giga",
            "postgres://anna:s3cret@x@localhost/giga",
            "postgres://anna:s3cret#x@localhost/giga",
            "postgres://anna:s3?cret@localhost/giga",
            "postgres://anna:s3cret@localhost/giga?sslmode=never",
            "postgres://anna:s3cret@localhost/giga?what=s3cret",
            "postgres://anna:s3cret@localhost:port/giga",
            "postgres://anna:s3cret@localhost/giga?sslmode=require&sslrootcert=/s3cret-not-there",
        ];
        for (number, text) in wrong.iter().enumerate() {
            let told = Url::parse(text, None).unwrap_err();
            let named = number + 1 == wrong.len();
            assert!(named || !format!("{told} {told:?}").contains("s3"), "{told:?}");
        }
    }
}
