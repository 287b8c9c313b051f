//! Where the lines behind a chart stand: round figures from below to above, round dates from left to right.

use giga_units::{Duration, Instant};

/// Lines of a figure: from zero in round steps up to `most`, three to six of them; none where there is nothing to show.
pub(crate) fn steps(most: f64) -> Vec<f64> {
    if most.is_nan() || most <= 0.0 || most.is_infinite() {
        return Vec::new();
    }
    let size = 10_f64.powf((most / 3.0).log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|round| round * size).find(|step| most / step <= 4.5);
    let step = step.unwrap_or(size * 10.0);
    (0..=(most / step) as u32).map(|count| f64::from(count) * step).collect()
}

/// A time from left to right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
}

/// The steps in which dates are written, each with how much of a date is said: months are steps of their own.
const DATES: [(Duration, Said); 11] = [
    (Duration::seconds(1), Said::Second),
    (Duration::seconds(10), Said::Second),
    (Duration::seconds(60), Said::Minute),
    (Duration::seconds(600), Said::Minute),
    (Duration::hours(1), Said::Minute),
    (Duration::hours(3), Said::Minute),
    (Duration::hours(6), Said::Minute),
    (Duration::hours(12), Said::Minute),
    (Duration::days(1), Said::Day),
    (Duration::days(2), Said::Day),
    (Duration::days(7), Said::Day),
];

/// How much of a date is said at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Second,
    Minute,
    Day,
    Month,
    Year,
}

impl Span {
    /// How far along an instant is, from 0 at the left to 1 at the right.
    pub(crate) fn along(&self, at: Instant) -> f64 {
        let whole = self.length().as_milliseconds().max(1) as f64;
        at.since(self.begin).as_milliseconds() as f64 / whole
    }

    pub(crate) fn length(&self) -> Duration {
        self.end.since(self.begin)
    }

    /// The round dates inside, at most seven of them or twelve months, each with its words.
    pub(crate) fn dates(&self) -> Vec<(Instant, String)> {
        let length = self.length().as_milliseconds();
        if let Some((step, said)) = DATES.iter().find(|(step, _)| length <= step.as_milliseconds() * 7) {
            return self.every(*step, *said);
        }
        let months = self.turns(Instant::next_month);
        if months.len() <= 12 {
            return months.into_iter().map(|at| (at, words(at, Said::Month))).collect();
        }
        let years = self.turns(Instant::next_year);
        let (all, few) = if years.len() < 3 { (months, 6) } else { (years, 7) };
        let said = if few == 6 { Said::Month } else { Said::Year };
        let every = all.len().div_ceil(few);
        all.into_iter().step_by(every).map(|at| (at, words(at, said))).collect()
    }

    fn every(&self, step: Duration, said: Said) -> Vec<(Instant, String)> {
        let step = step.as_milliseconds();
        let first = self.begin.as_unix_milliseconds().div_euclid(step) * step;
        let all = (0..9).map(|count| Instant::unix_milliseconds(first + count * step));
        all.filter(|at| *at >= self.begin && *at < self.end).map(|at| (at, words(at, said))).collect()
    }

    /// The beginnings of months or years inside, thinned out where there would be thousands.
    fn turns(&self, next: impl Fn(Instant) -> Instant) -> Vec<Instant> {
        let before = Instant::unix_milliseconds(self.begin.as_unix_milliseconds().saturating_sub(1));
        let turns = std::iter::successors(Some(next(before)), |at| Some(next(*at)));
        turns.take_while(|at| *at < self.end).take(12_000).collect()
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn words(at: Instant, said: Said) -> String {
    let text = at.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    let month = part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    let month = month.copied().unwrap_or("");
    match said {
        Said::Second => part(11, 19).to_owned(),
        Said::Minute if part(11, 16) == "00:00" => words(at, Said::Day),
        Said::Minute => part(11, 16).to_owned(),
        Said::Day => format!("{} {month}", part(8, 10).trim_start_matches('0')),
        Said::Month if month == "Jan" => part(0, 4).to_owned(),
        Said::Month => month.to_owned(),
        Said::Year => part(0, 4).to_owned(),
    }
}

/// An instant as `2027-01-01 06:00`, without what is zero behind it.
pub(crate) fn date(at: Instant) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z').replacen('T', " ", 1);
    let text = text.strip_suffix(":00").unwrap_or(&text);
    text.strip_suffix(" 00:00").unwrap_or(text).to_owned()
}

/// A round length: `6 h`, `1 d`, `28 d`, `10 min`, `10 s`.
pub(crate) fn length(length: Duration) -> String {
    let seconds = length.as_milliseconds() as f64 / 1e3;
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1.0, "s"));
    format!("{} {unit}", super::chart::short(seconds / size, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(begin: &str, end: &str) -> Span {
        let at = |text| Instant::parse(text).unwrap();
        Span { begin: at(begin), end: at(end) }
    }

    fn check(begin: &str, end: &str, dates: &[&str]) {
        let found: Vec<String> = span(begin, end).dates().into_iter().map(|(_, words)| words).collect();
        assert_eq!(found, dates, "{begin} to {end}");
    }

    #[test]
    fn dates_are_round_and_few() {
        let months = ["2027", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        check("2027-01-01", "2028-01-01", &months);
        check("2027-01-01", "2027-01-02", &["1 Jan", "06:00", "12:00", "18:00"]);
        check("2027-01-30", "2027-02-03", &["30 Jan", "31 Jan", "1 Feb", "2 Feb"]);
        check(
            "2027-01-01T00:00:30",
            "2027-01-01T00:01:36",
            &["00:00:30", "00:00:40", "00:00:50", "00:01:00", "00:01:10", "00:01:20", "00:01:30"],
        );
        check("2027-01-01", "2047-01-01", &["2027", "2030", "2033", "2036", "2039", "2042", "2045"]);
        check("2027-01-01", "2027-01-01", &[]);
    }

    #[test]
    fn figures_are_round_and_few() {
        assert_eq!(steps(230.0), [0.0, 100.0, 200.0]);
        assert_eq!(steps(0.9), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8]);
        assert!(steps(0.0).is_empty() && steps(f64::NAN).is_empty() && steps(-1.0).is_empty());
        for most in [0.001, 1.0, 7.3, 99.0, 1e9] {
            assert!((3..=6).contains(&steps(most).len()), "{most}: {:?}", steps(most));
        }
    }

    #[test]
    fn dates_read_well() {
        assert_eq!(date(Instant::parse("2027-01-01").unwrap()), "2027-01-01");
        assert_eq!(date(Instant::parse("2027-01-01T06:30").unwrap()), "2027-01-01 06:30");
        assert_eq!(date(Instant::parse("2027-01-01T06:30:07.5Z").unwrap()), "2027-01-01 06:30:07.5");
    }
}
