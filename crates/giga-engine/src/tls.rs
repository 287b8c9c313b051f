//! Whom encrypted connections over HTTP trust.

use std::sync::Arc;

use rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Whom connections to an address trust: with `https` whom this machine trusts; or, where `SSL_CERT_FILE` or `SSL_CERT_DIR` is set, whom
/// these hold. With `http` there is nobody to trust.
///
/// Where no certificate is found nobody is trusted, and what connects says so.
#[must_use]
pub fn trusting(url: &str) -> TlsConfig {
    let encrypted = url.starts_with("https://");
    let found = if encrypted { rustls_native_certs::load_native_certs().certs } else { Vec::new() };
    let roots: Vec<_> = found.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}

/// Whether a connection could not be encrypted, or only with somebody whom nobody here trusts.
#[must_use]
pub fn is_distrust(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => true,
        ureq::Error::Io(error) => {
            error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()).is_some()
        }
        _ => false,
    }
}
