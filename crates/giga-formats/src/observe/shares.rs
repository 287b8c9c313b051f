//! The fair shares of accounts, as `sshare` lists them, where an operator saved them. They are never asked for.

use std::collections::{BTreeMap, BTreeSet};

use giga_units::Fraction;

use super::bars::{Read, Unread, table};
use super::cells::word;
use crate::slurm::cell::quoted;

/// Reads the part of each account: its `NormShares`, or its `RawShares` over those of all. Left out are `root`, and accounts
/// without users where others have some.
///
/// # Errors
/// Fails where there is no header, or columns are missing.
pub fn read_shares(text: &str) -> Result<(BTreeMap<String, Fraction>, Read<()>), Unread> {
    let needed =
        if text.lines().any(|line| line.contains("NormShares")) { "NormShares" } else { "RawShares" };
    let mut with_users = BTreeSet::new();
    let mut read = table(text, &["Account", needed], |row, _| {
        let account = word(row.text("Account"));
        if !row.text("User").is_empty() {
            with_users.insert(account);
            return Ok(None);
        }
        let share = |column| row.cell(column, |text| number(text).ok_or_else(|| not_a_share(text)));
        let (norm, raw) = (row.text("NormShares"), row.text("RawShares"));
        let share = match (norm.is_empty(), raw.is_empty() || raw == "parent") {
            _ if account == "root" || account.is_empty() => return Ok(None),
            (false, _) => share("NormShares")?,
            (true, false) => share("RawShares")?,
            (true, true) => return Ok(None),
        };
        Ok(Some((account, share)))
    })?;
    // An account with only accounts below it is charged for nothing itself.
    read.rows.retain(|(account, _)| with_users.is_empty() || with_users.contains(account));
    let all: f64 = read.rows.iter().map(|(_, share)| share).sum();
    let part = |share: f64| Fraction::ppm((share / all.max(1.0) * 1e6).floor().clamp(0.0, 1e6) as u64);
    let shares = read.rows.iter().map(|(account, share)| (account.clone(), part(*share))).collect();
    Ok((shares, Read { rows: Vec::new(), faults: read.faults, faulty: read.faulty, zoneless: 0 }))
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| (0.0..1e12).contains(number))
}

fn not_a_share(text: &str) -> String {
    format!("`{}` is no share; save it with `sshare --all --parsable2`", quoted(text))
}
