//! Amounts as people write them: `"230 MW"`, `"35 EUR/MWh"`, `"7 d"`. Parsing is exact decimal arithmetic.

use thiserror::Error;

/// A quantity that is written as a number and a unit.
pub trait Amount: Sized + Copy {
    /// What the quantity is called in messages, such as `power`.
    const WHAT: &'static str;
    /// The accepted units with their size in the quantity's own smallest unit, the preferred one first.
    const UNITS: &'static [(&'static str, i128)];
    /// Whether an amount below zero makes sense.
    const SIGNED: bool = false;

    /// Builds the quantity from a count of its smallest unit, or `None` where it does not fit.
    fn from_smallest(count: i128) -> Option<Self>;
    /// The count of the smallest unit.
    fn to_smallest(self) -> i128;

    /// Reads an amount with its unit.
    ///
    /// # Errors
    /// Says what is wrong with the text and which units would do.
    fn parse(text: &str) -> Result<Self, AmountError> {
        let (number, unit) = split(text);
        if unit.is_empty() {
            return Err(AmountError::NoUnit {
                what: Self::WHAT,
                text: text.to_owned(),
                units: list::<Self>(),
            });
        }
        let Some(&(_, size)) = Self::UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(AmountError::UnknownUnit {
                what: Self::WHAT,
                unit: unit.to_owned(),
                units: list::<Self>(),
            });
        };
        let count = scale(number, size).ok_or_else(|| AmountError::NotANumber { text: number.to_owned() })?;
        if count < 0 && !Self::SIGNED {
            return Err(AmountError::Negative { what: Self::WHAT, text: text.to_owned() });
        }
        Self::from_smallest(count)
            .ok_or_else(|| AmountError::OutOfRange { what: Self::WHAT, text: text.to_owned() })
    }

    /// Writes the amount exactly, in the largest unit that needs at most three decimals, or else in the smallest.
    fn written(self) -> String {
        let count = self.to_smallest();
        if count == 0 {
            return format!("0 {}", Self::UNITS.first().map_or("", |(name, _)| name));
        }
        let mut units: Vec<_> = Self::UNITS.to_vec();
        units.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
        let fits = |size: i128| (count * 1000) % size == 0 && (count.abs() >= size);
        // The first of the smallest is the preferred one.
        let smallest = Self::UNITS.iter().copied().min_by_key(|&(_, size)| size).unwrap_or(("", 1));
        let (name, size) = units.iter().copied().find(|&(_, size)| fits(size)).unwrap_or(smallest);
        format!("{} {name}", decimal(count, size))
    }
}

/// What is wrong with a written amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// There is a number and no unit.
    #[error("`{text}` has no unit; a {what} is written with one of: {units}")]
    NoUnit {
        /// The quantity.
        what: &'static str,
        /// What stands there.
        text: String,
        /// The units that would do.
        units: String,
    },
    /// The unit is not one of this quantity.
    #[error("`{unit}` is not a unit of {what}; write one of: {units}")]
    UnknownUnit {
        /// The quantity.
        what: &'static str,
        /// What stands there.
        unit: String,
        /// The units that would do.
        units: String,
    },
    /// What stands before the unit is not a decimal number.
    #[error("`{text}` is not a number; write digits with a point, such as `2.5`")]
    NotANumber {
        /// What stands there.
        text: String,
    },
    /// The amount is negative.
    #[error("`{text}` is negative; a {what} is zero or more")]
    Negative {
        /// The quantity.
        what: &'static str,
        /// What stands there.
        text: String,
    },
    /// The amount is larger than the quantity can hold.
    #[error("`{text}` is out of range for a {what}")]
    OutOfRange {
        /// The quantity.
        what: &'static str,
        /// What stands there.
        text: String,
    },
}

fn list<A: Amount>() -> String {
    A::UNITS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A count with commas between the thousands: `1,234,567`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of a thing: `1 record`, `1,234 records`.
#[must_use]
pub fn several(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Splits `"35 EUR/MWh"` into number and unit; blanks around both do not count.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_' | ',');
    let end = text.find(|c: char| !is_number(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number.trim(), unit.trim())
}

/// The number times `size`, rounded half away from zero; `None` when it is no number or overflows.
fn scale(number: &str, size: i128) -> Option<i128> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let whole: String = whole.chars().filter(|&c| c != '_').collect();
    if !plain(&whole) || !plain(decimals) || (whole.is_empty() && decimals.is_empty()) || decimals.len() > 15
    {
        return None;
    }
    let power = 10_i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let decimals: i128 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    let scaled = whole.checked_mul(power)?.checked_add(decimals)?.checked_mul(size)?;
    let rounded = (scaled.checked_add(power / 2)?) / power;
    Some(if negative { -rounded } else { rounded })
}

/// `count / size` with as many decimals as are needed, at most nine.
fn decimal(count: i128, size: i128) -> String {
    const BILLION: i128 = 1_000_000_000;
    let sign = if count < 0 { "-" } else { "" };
    let count = count.abs();
    let (whole, billionths) = (count / size, (count % size) * BILLION / size);
    if billionths == 0 {
        return format!("{sign}{whole}");
    }
    let text = format!("{sign}{whole}.{billionths:09}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bytes, CarbonPrice, Duration, EnergyPrice, Fraction, Money, Power};

    fn check<A: Amount + PartialEq + std::fmt::Debug>(text: &str, expected: A) {
        assert_eq!(A::parse(text), Ok(expected));
        assert_eq!(A::parse(&expected.written()), Ok(expected), "`{}` must read back", expected.written());
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        check("230 MW", Power::megawatts(230));
        check("2.3kW", Power::watts(2_300));
        check("35 EUR/MWh", EnergyPrice::microeuro_per_kwh(35_000));
        check("-1.5 EUR/MWh", EnergyPrice::microeuro_per_kwh(-1_500));
        check("7 d", Duration::days(7));
        check("200 ms", Duration::milliseconds(200));
        check("12.5 %", Fraction::ppm(125_000));
        check("100_000 EUR", Money::euro(100_000));
        check("4 GiB", Bytes::mebibytes(4 << 10));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_units_that_would_do() {
        assert!(matches!(Power::parse("230"), Err(AmountError::NoUnit { .. })));
        assert!(matches!(Power::parse("230 MWh"), Err(AmountError::UnknownUnit { .. })));
        assert!(matches!(Power::parse("-3 MW"), Err(AmountError::Negative { .. })));
        assert!(matches!(Power::parse("1,5 MW"), Err(AmountError::NotANumber { .. })));
        assert!(matches!(Power::parse("99999999999999 GW"), Err(AmountError::OutOfRange { .. })));
        let message = Power::parse("230").unwrap_err().to_string();
        assert!(message.contains("MW"), "{message}");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(123_456), "123,456");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn writing_keeps_every_digit() {
        assert_eq!(Power::watts(1_903).written(), "1.903 kW");
        assert_eq!(Power::megawatts(230).written(), "230 MW");
        assert_eq!(Duration::milliseconds(1).written(), "1 ms");
        assert_eq!(Duration::hours(36).written(), "1.5 d");
        assert_eq!(Bytes::gigabytes(288).written(), "288 GB");
        assert_eq!(Bytes::mebibytes(4 << 10).written(), "4 GiB");
        assert_eq!(CarbonPrice::microeuro_per_tonne(85_123_456).written(), "85.123456 EUR/t");
    }
}
