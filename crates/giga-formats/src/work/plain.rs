//! Traces of comma-separated values with fixed columns: Philly, the hourly traces of GAIA, and Azure's requests.

use giga_units::Duration;

use super::cell;
use super::fault::Fault;
use super::row::{At, Desk, Parsed, Row, Skip};
use super::text::{Dialect, cells_of};

/// The columns of Microsoft's Philly trace as the ElasticFlow artefact publishes it, one row a job that ended.
pub(super) const PHILLY: &str = "timestamp,duration,num_gpus,gpu_time,cluster";
/// The columns of the traces of umassos/GAIA (LANL Mustang, Azure virtual machines); hours since the beginning.
pub(super) const HOURS: &str = "arrival_time,length,cpus";
/// The columns of Azure's LLM inference traces, one row a request.
pub(super) const TOKENS: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";

/// Prompt tokens a second, and the time of one generated token: Llama 2 70B on one DGX H100, conversations, medians
/// (order of Patel et al., Splitwise, ISCA 2024, arXiv:2311.18677, who published the trace; the two figures were not
/// checked against the paper's table: assumption). A request alone on its accelerators; batching shortens no single request.
const PROMPT_TOKENS_PER_SECOND: i64 = 12_000;
const GENERATED_TOKEN: Duration = Duration::milliseconds(28);
/// The most tokens that a request may have; far above any context window.
const TOKENS_MAX: i64 = 1_000_000_000;

/// Philly: local time of the cluster, seconds, GPUs, and the virtual cluster as the owner.
pub(super) struct Philly;

impl Dialect for Philly {
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault> {
        let Some(cells) = cells_of(line, text, 5)? else { return Ok(Parsed::Nothing) };
        let at = cell::dated(&cells[0]).at(line, "timestamp")?;
        let runtime = cell::length(&cells[1], Duration::seconds(1)).at(line, "duration")?;
        if cell::scaled(&cells[2], 1).at(line, "num_gpus")? == 0 {
            return Ok(Parsed::Skip(Skip::NoAccelerator));
        }
        let accelerators = cell::accelerators(&cells[2]).at(line, "num_gpus")?;
        let owner = cell::filled(&cells[4]).at(line, "cluster")?;
        let project = desk.owners.project(owner).at(line, "cluster")?;
        let runtime = super::at_least_a_second(runtime, desk);
        Ok(Parsed::Job(Row::plain(line, at, project, accelerators, runtime)))
    }
}

/// Mustang and Azure virtual machines: hours, hours, processors as accelerators; nobody is named.
pub(super) struct Hours;

impl Dialect for Hours {
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault> {
        let Some(cells) = cells_of(line, text, 3)? else { return Ok(Parsed::Nothing) };
        let hour = Duration::hours(1);
        let at = cell::scaled(&cells[0], hour.as_milliseconds()).at(line, "arrival_time")?;
        let runtime = cell::length(&cells[1], hour).at(line, "length")?;
        let accelerators = cell::accelerators(&cells[2]).at(line, "cpus")?;
        let runtime = super::at_least_a_second(runtime, desk);
        Ok(Parsed::Job(Row::plain(line, at, desk.owners.nobody(), accelerators, runtime)))
    }
}

/// Azure's requests: each is a job of one accelerator for as long as its tokens take.
pub(super) struct Tokens;

impl Dialect for Tokens {
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault> {
        let Some(cells) = cells_of(line, text, 3)? else { return Ok(Parsed::Nothing) };
        let at = cell::dated(&cells[0]).at(line, "TIMESTAMP")?;
        let prompt = tokens(&cells[1]).at(line, "ContextTokens")?;
        let generated = tokens(&cells[2]).at(line, "GeneratedTokens")?;
        let milliseconds =
            prompt * 1_000 / PROMPT_TOKENS_PER_SECOND + generated * GENERATED_TOKEN.as_milliseconds();
        if milliseconds == 0 {
            return Ok(Parsed::Skip(Skip::NeverRan));
        }
        let runtime = Duration::milliseconds(milliseconds);
        Ok(Parsed::Job(Row::plain(line, at, desk.owners.nobody(), 1, runtime)))
    }
}

fn tokens(text: &str) -> Result<i64, super::fault::Cause> {
    let count = cell::scaled(text, 1)?;
    let fits = (0..=TOKENS_MAX).contains(&count);
    if fits { Ok(count) } else { Err(super::fault::Cause::OutOfRange(super::fault::quoted(text))) }
}
