//! Figures as text for whoever watches: OpenMetrics 1.0, as Prometheus and its relatives read it.
//!
//! A family has one unit, which stands in its name and in each of its values, so that no figure can be written under the
//! unit of another. What does not fit the format is a fault of this program and panics, since the families are written
//! down in the code and only labels and amounts come from outside.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Write as _};
use std::time::Duration as Wait;

use giga_units::{AcceleratorTime, Bytes, Carbon, Duration, Energy, Instant, Money, Power};

/// The content type of the text.
pub const OPENMETRICS_TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What every name begins with.
const PREFIX: &str = "giga_";

/// What a family counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count of what the name says.
    None,
    /// Time, and points in time since 1970.
    Seconds,
    /// Accelerators times time.
    AcceleratorSeconds,
    /// Power.
    Watts,
    /// Energy.
    Joules,
    /// Money.
    Euros,
    /// Carbon dioxide or what warms as much.
    Grams,
    /// Data.
    Bytes,
}

impl Unit {
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Seconds => Some("seconds"),
            Self::AcceleratorSeconds => Some("accelerator_seconds"),
            Self::Watts => Some("watts"),
            Self::Joules => Some("joules"),
            Self::Euros => Some("euros"),
            Self::Grams => Some("grams"),
            Self::Bytes => Some("bytes"),
        }
    }
}

/// What a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is now; it goes up and down.
    Gauge,
    /// What has come together; it never goes down.
    Counter,
    /// How often what was measured lay below each bound.
    Histogram,
    /// What does not change; its value is always 1.
    Info,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Gauge | Self::Histogram => "",
            Self::Counter => "_total",
            Self::Info => "_info",
        }
    }
}

/// An exact decimal with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    amount: i128,
    /// How many digits stand behind the point.
    digits: usize,
    unit: Unit,
}

macro_rules! values {
    ($($from:ty, $unit:ident, $digits:literal, $amount:expr;)*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let amount: fn($from) -> i128 = $amount;
                Self { amount: amount(value), digits: $digits, unit: Unit::$unit }
            }
        }
    )*};
}
values! {
    bool, None, 0, i128::from;
    u32, None, 0, i128::from;
    u64, None, 0, i128::from;
    Power, Watts, 3, |power| power.as_milliwatts().into();
    Energy, Joules, 0, Energy::as_joules;
    Money, Euros, 6, Money::as_microeuro;
    Carbon, Grams, 3, Carbon::as_milligrams;
    Duration, Seconds, 3, |time| time.as_milliseconds().into();
    Instant, Seconds, 3, |time| time.as_unix_milliseconds().into();
    Wait, Seconds, 6, |time| i128::try_from(time.as_micros()).unwrap_or(i128::MAX);
    AcceleratorTime, AcceleratorSeconds, 3, AcceleratorTime::as_milliseconds;
    Bytes, Bytes, 0, |bytes| bytes.as_bytes().into();
}

impl Display for Value {
    /// Without zeros at the end, but with one digit behind a point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, amount) = (if self.amount < 0 { "-" } else { "" }, self.amount.unsigned_abs());
        if self.digits == 0 {
            return write!(f, "{sign}{amount}");
        }
        let digits = self.digits;
        let text = format!("{amount:0>width$}", width = digits + 1);
        let (whole, part) = text.split_at(text.len() - digits);
        let part = part.trim_end_matches('0');
        write!(f, "{sign}{whole}.{}", if part.is_empty() { "0" } else { part })
    }
}

/// What was measured, by bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// Bounds that rise, each with how many lay at or below it.
    pub within: Vec<(Value, u64)>,
    /// How many there were.
    pub count: u64,
    /// All of them together.
    pub sum: Value,
}

/// The text as it grows: one family after the other.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    names: BTreeSet<String>,
}

impl Exposition {
    /// Begins a family: `name` without prefix, unit and suffix, and a line of help.
    ///
    /// # Panics
    /// Panics where the name is no name or was there before: a family stands in one piece.
    pub fn family(&mut self, name: &str, kind: Kind, unit: Unit, help: &str) -> Family<'_> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(name.bytes().all(plain), "`{name}` is no name of a family");
        let unit_word = unit.word().map_or_else(String::new, |word| format!("_{word}"));
        let name = format!("{PREFIX}{name}{unit_word}");
        assert!(self.names.insert(name.clone()), "`{name}` was there before");
        let text = &mut self.text;
        put(text, format_args!("# HELP {name} {}\n", escaped(help)));
        put(text, format_args!("# TYPE {name} {}\n", kind.word()));
        if let Some(unit) = unit.word() {
            put(text, format_args!("# UNIT {name} {unit}\n"));
        }
        Family { text, name, kind, unit }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }
}

/// One family, to which samples are added.
#[derive(Debug)]
pub struct Family<'e> {
    text: &'e mut String,
    name: String,
    kind: Kind,
    unit: Unit,
}

/// Names with values, in an order of one's own.
pub type Labels<'l> = &'l [(&'l str, &'l str)];

impl Family<'_> {
    /// Adds a sample.
    ///
    /// # Panics
    /// Panics where the value has another unit than the family, or the family is a histogram.
    pub fn sample(&mut self, labels: Labels<'_>, value: impl Into<Value>) {
        assert!(self.kind != Kind::Histogram, "`{}` is a histogram", self.name);
        self.line(self.kind.suffix(), labels, None, value.into());
    }

    /// Adds the samples of a histogram.
    ///
    /// # Panics
    /// Panics where a bound has another unit than the family, or the family is no histogram.
    pub fn histogram(&mut self, labels: Labels<'_>, buckets: &Buckets) {
        assert!(self.kind == Kind::Histogram, "`{}` is no histogram", self.name);
        for (bound, count) in &buckets.within {
            assert!(bound.unit == self.unit, "a bound of `{}` has its unit", self.name);
            self.line("_bucket", labels, Some(&bound.to_string()), plain(*count));
        }
        self.line("_bucket", labels, Some("+Inf"), plain(buckets.count));
        self.line("_count", labels, None, plain(buckets.count));
        assert!(buckets.sum.unit == self.unit, "the sum of `{}` has its unit", self.name);
        self.line("_sum", labels, None, buckets.sum);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: Value) {
        let count = matches!(suffix, "_bucket" | "_count" | "_sum");
        assert!(count || value.unit == self.unit, "a value of `{}` has its unit", self.name);
        put(self.text, format_args!("{}{suffix}", self.name));
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        for (place, (name, label)) in all.enumerate() {
            put(
                self.text,
                format_args!("{}{name}=\"{}\"", if place == 0 { '{' } else { ',' }, escaped(label)),
            );
        }
        let end = if labels.is_empty() && bound.is_none() { "" } else { "}" };
        put(self.text, format_args!("{end} {value}\n"));
    }
}

fn plain(count: u64) -> Value {
    Value::from(count)
}

fn put(text: &mut String, what: fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a text takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_read_as_the_format_has_them() {
        let mut out = Exposition::default();
        let mut family = out.family("site_power_limit", Kind::Gauge, Unit::Watts, "What a site may draw.");
        family.sample(&[("site", "a \"b\"\\\n")], Power::milliwatts(1_500));
        family.sample(&[], Power::watts(2));
        out.family("jobs_ended", Kind::Counter, Unit::None, "Jobs.").sample(&[("outcome", "failed")], 3_u64);
        let second = |count| Value::from(Duration::seconds(count));
        let buckets = Buckets { within: vec![(second(1), 2), (second(60), 5)], count: 6, sum: second(99) };
        out.family("queue_wait", Kind::Histogram, Unit::Seconds, "Waits.").histogram(&[("p", "x")], &buckets);
        out.family("build", Kind::Info, Unit::None, "This.").sample(&[("version", "1")], true);
        let expected = "\
# HELP giga_site_power_limit_watts What a site may draw.
# TYPE giga_site_power_limit_watts gauge
# UNIT giga_site_power_limit_watts watts
giga_site_power_limit_watts{site=\"a \\\"b\\\"\\\\\\n\"} 1.5
giga_site_power_limit_watts 2.0
# HELP giga_jobs_ended Jobs.
# TYPE giga_jobs_ended counter
giga_jobs_ended_total{outcome=\"failed\"} 3
# HELP giga_queue_wait_seconds Waits.
# TYPE giga_queue_wait_seconds histogram
# UNIT giga_queue_wait_seconds seconds
giga_queue_wait_seconds_bucket{p=\"x\",le=\"1.0\"} 2
giga_queue_wait_seconds_bucket{p=\"x\",le=\"60.0\"} 5
giga_queue_wait_seconds_bucket{p=\"x\",le=\"+Inf\"} 6
giga_queue_wait_seconds_count{p=\"x\"} 6
giga_queue_wait_seconds_sum{p=\"x\"} 99.0
# HELP giga_build This.
# TYPE giga_build info
giga_build_info{version=\"1\"} 1
# EOF
";
        assert_eq!(out.finish(), expected);
    }

    #[test]
    fn values_are_exact() {
        let check = |value: Value, expected: &str| assert_eq!(value.to_string(), expected);
        check(Money::microeuro(1_234_500).into(), "1.2345");
        check(Money::microeuro(-7).into(), "-0.000007");
        check(Duration::milliseconds(50).into(), "0.05");
        check(Wait::from_micros(100).into(), "0.0001");
        check(Energy::joules(10).into(), "10");
    }

    #[test]
    #[should_panic(expected = "has its unit")]
    fn a_figure_can_not_stand_under_another_unit() {
        let mut out = Exposition::default();
        out.family("site_power_limit", Kind::Gauge, Unit::Watts, "").sample(&[], Energy::joules(1));
    }

    #[test]
    #[should_panic(expected = "was there before")]
    fn a_family_stands_in_one_piece() {
        let mut out = Exposition::default();
        for _ in 0..2 {
            out.family("ready", Kind::Gauge, Unit::None, "");
        }
    }
}
