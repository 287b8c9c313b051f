//! Tokens for slurmrestd: JSON Web Tokens, signed with the key that the site's `slurm.conf` names (RFC 7519, HS256 of RFC 7518).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as CODE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long a token opens anything.
const SECONDS: u64 = 600;

/// A token for a user, from now on. `now` is in seconds since 1970.
fn token_at(key: &[u8], user: &str, now: u64) -> String {
    let user = user.replace('\\', "\\\\").replace('"', "\\\"");
    let claims = format!(r#"{{"iat":{now},"exp":{},"sun":"{user}"}}"#, now + SECONDS);
    let text = format!("{}.{}", CODE.encode(r#"{"alg":"HS256","typ":"JWT"}"#), CODE.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(text.as_bytes());
    format!("{text}.{}", CODE.encode(mac.finalize().into_bytes()))
}

/// A token for a user that opens for some minutes.
pub(super) fn token(key: &[u8], user: &str) -> String {
    // A clock before 1970 makes tokens that open nothing, and the service says so.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    token_at(key, user, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_signed_as_others_sign_it() {
        // Made with Python's hmac, hashlib and base64 from the same key and claims.
        let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjEwMDAsImV4cCI6MTYwMCwic3VuIjoiYW5uYSJ9.U2FnTShh2uKwMfy0Eh0Gyo4Yg6-RRalY8KeGgnSzNRw";
        assert_eq!(token_at(b"0123456789abcdef", "anna", 1_000), expected);
    }
}
