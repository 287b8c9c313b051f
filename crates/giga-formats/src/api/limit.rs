//! What operators tell a site: to draw less for a time, and what came of that.

use giga_units::{Amount as _, Duration, Instant, Power};
use serde::{Deserialize, Serialize};

use super::site::SiteView;
use super::stamp::Stamp;
use crate::job::FieldFault;

/// The longest time of a limit.
const TIME_MAX: Duration = Duration::days(3_650);
/// The longest text that a fault repeats, in characters.
const SHOWN: usize = 64;

/// The body of `POST /v1/sites/{site}/limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitBody {
    /// What the site may draw at the meter, with its unit, such as `100 W`.
    pub power: String,
    /// For how long from now on, such as `2 h`; or say `until`.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// Until when, such as `2027-03-01T08:00Z`; or say `for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl LimitBody {
    /// What is asked for, as power and the instant at which it ends.
    ///
    /// # Errors
    /// All faults at once, in the order of the fields.
    pub fn check(&self, now: Instant) -> Result<(Power, Instant), Vec<FieldFault>> {
        let power = Power::parse(&self.power).map_err(|error| {
            fault("power", error.to_string(), "write what the site may draw, such as `100 W` or `2.5 MW`")
        });
        match (power, self.end(now)) {
            (Ok(power), Ok(until)) => Ok((power, until)),
            (power, until) => Err([power.err(), until.err()].into_iter().flatten().collect()),
        }
    }

    fn end(&self, now: Instant) -> Result<Instant, FieldFault> {
        match (&self.lasts, &self.until) {
            (Some(text), None) => lasts(text).map(|time| now + time),
            (None, Some(text)) => until(text, now),
            (None, None) => {
                Err(fault("for", "it does not say how long the limit lasts", "write for example `2 h`"))
            }
            (Some(_), Some(_)) => {
                Err(fault("until", "both `for` and `until` say when the limit ends", "drop one of them"))
            }
        }
    }
}

fn lasts(text: &str) -> Result<Duration, FieldFault> {
    let help = "write a time from 1 s to 3650 d, such as `2 h`";
    let time = Duration::parse(text).map_err(|error| fault("for", error.to_string(), help))?;
    let inside = (Duration::seconds(1)..=TIME_MAX).contains(&time);
    inside
        .then_some(time)
        .ok_or_else(|| fault("for", format!("`{}` is too short or too long", shown(text)), help))
}

fn until(text: &str, now: Instant) -> Result<Instant, FieldFault> {
    let help = "write a date to come, such as `2027-03-01T08:00Z`";
    let date = Instant::parse(text);
    let date = date.ok_or_else(|| fault("until", format!("`{}` is no date", shown(text)), help))?;
    let ahead = date > now && date <= now + TIME_MAX;
    let message = || format!("`{}` is over, or more than 3650 d ahead", shown(text));
    ahead.then_some(date).ok_or_else(|| fault("until", message(), help))
}

fn fault(field: &str, message: impl Into<String>, help: &str) -> FieldFault {
    FieldFault { field: field.into(), message: message.into(), help: help.into() }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Whether what was ordered is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Obeyed {
    /// It is on record and on its way; something that was sent away may still run.
    Ordered,
    /// Everything that was sent away has left its receipt, or never began: nothing of it draws power.
    Complied,
}

/// A limit that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitView {
    /// What the site may draw at the meter, in milliwatt.
    pub power_milliwatt: u64,
    /// When that ends.
    pub until: Stamp,
    /// What follows it, where that is known: at the beginning of a limit a site may draw less than later, for what it still has to
    /// cool of before.
    pub then: Option<LimitStep>,
    /// By how much what is ordered still exceeds it, in milliwatt: what idle nodes draw alone.
    pub breach_milliwatt: u64,
    /// Whether what was ordered is done.
    pub obeyed: Obeyed,
}

/// What follows a limit that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitStep {
    /// What the site may draw at the meter then, in milliwatt.
    pub power_milliwatt: u64,
    /// When that ends.
    pub until: Stamp,
}

/// The answer to `POST /v1/sites/{site}/limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitAnswer {
    /// The site behind it, with the limit and what is ordered.
    pub site: SiteView,
    /// Running jobs that go on with less power and slower.
    pub capped: Vec<u64>,
    /// Running jobs that stand still and keep their accelerators.
    pub suspended: Vec<u64>,
    /// Running jobs that were stopped and wait again; what they had not saved is lost.
    pub sent_away: Vec<u64>,
    /// What was missing at the meter before protected work was touched, in milliwatt; 0 where it never was.
    pub short_milliwatt: u64,
    /// What else is good to know, a sentence each.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        Instant::parse("2027-01-01").expect("a date")
    }

    /// The body asks for this many watts and seconds, or has faults in these fields with these pieces.
    #[track_caller]
    fn check(json: &str, expected: Result<(u64, i64), &[(&str, &str)]>) {
        let body: LimitBody = serde_json::from_str(json).expect("a body");
        match (body.check(now()), expected) {
            (Ok((power, until)), Ok((watts, seconds))) => {
                assert_eq!((power, until), (Power::watts(watts), now() + Duration::seconds(seconds)));
            }
            (Err(faults), Err(pieces)) => {
                let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
                assert_eq!(fields, pieces.iter().map(|(field, _)| *field).collect::<Vec<_>>());
                for (fault, (_, piece)) in faults.iter().zip(pieces) {
                    assert!(format!("{} {}", fault.message, fault.help).contains(piece), "{fault:?}");
                }
            }
            (found, _) => panic!("{json} gave {found:?}"),
        }
    }

    #[test]
    fn a_limit_is_understood_or_its_faults_are_named() {
        check(r#"{"power": "100 W", "for": "2h"}"#, Ok((100, 7_200)));
        check(r#"{"power": "0 W", "until": "2027-01-01T00:00:01Z"}"#, Ok((0, 1)));
        check(r#"{"power": "lots", "for": "2"}"#, Err(&[("power", "`100 W`"), ("for", "`2 h`")]));
        check(r#"{"power": "100"}"#, Err(&[("power", "no unit"), ("for", "how long")]));
        check(r#"{"power": "1 W", "for": "0 s"}"#, Err(&[("for", "too short")]));
        check(r#"{"power": "1 W", "for": "20 y"}"#, Err(&[("for", "too long")]));
        check(r#"{"power": "1 W", "until": "2026-01-01"}"#, Err(&[("until", "is over")]));
        check(r#"{"power": "1 W", "until": "soon"}"#, Err(&[("until", "no date")]));
        check(r#"{"power": "1 W", "for": "1 h", "until": "2028-01-01"}"#, Err(&[("until", "drop one")]));
    }
}
