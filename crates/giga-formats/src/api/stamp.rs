//! A time as it stands in a body: RFC 3339, UTC, always with milliseconds, so that texts sort as times do.

use giga_units::Instant;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time that is written as `2027-01-01T00:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Stamp(pub Instant);

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.0.as_unix_milliseconds();
        let parts = count.rem_euclid(1_000);
        // `FAR` and its like have no date.
        let second = Instant::unix_milliseconds(count - parts).to_string();
        match second.strip_suffix('Z') {
            Some(second) => write!(f, "{second}.{parts:03}Z"),
            None => f.write_str(&second),
        }
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instant = Instant::parse(&text);
        instant.map(Self).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no time in UTC")))
    }
}
