//! The files of a run, written by a thread of their own while the simulation goes on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;
use giga_control::Summary;
use giga_control::energy::{Energy, EnergyLog};
use giga_control::record::{HourRecord, JobRecord};
use giga_formats::saved::Fingerprint;
use giga_formats::summary::RunFacts;
use giga_formats::table::{HoursWriter, JobsWriter, Names, Record, TableError, TableReader, TableWriter};
use giga_model::Federation;
use giga_twin::{Nowhere, Sink};
use giga_units::Instant;

use super::call::Outset;
use super::linted::Linted;
use super::page;

/// The name of a saved run in its folder.
pub(crate) const SAVED: &str = "run.saved";
pub(super) const JOBS: &str = "jobs.parquet";
pub(super) const HOURS: &str = "hours.parquet";
/// Rows that travel together, and bundles that may wait.
const BUNDLE: usize = 8_192;
const WAITING: usize = 8;

/// What takes rows and can fail as a table does.
pub(super) trait Rows: Sink<Error = TableError> {}
impl Rows for Output {}
impl Rows for Nowhere<TableError> {}
impl<R: Rows> Rows for Linted<'_, R> {}

/// What a saved run goes on with beside its state: rows that filled no group of their tables, and what stands for the
/// work it has had.
pub(super) struct Rest {
    pub(super) work_had: Fingerprint,
    pub(super) jobs: Vec<JobRecord>,
    pub(super) hours: Vec<HourRecord>,
}

/// Where rows go: to a folder, or nowhere; and what sites are asked about afterwards.
pub(super) struct Output {
    energy: EnergyLog,
    folder: Option<PathBuf>,
    jobs: Vec<JobRecord>,
    hours: Vec<HourRecord>,
    sender: Option<SyncSender<(Vec<JobRecord>, Vec<HourRecord>)>>,
    writer: Option<JoinHandle<Result<Tables, TableError>>>,
}

/// What a saved run leaves to be kept: the folder of its tables, and the rows that filled no group.
pub(super) type Left = (PathBuf, Vec<JobRecord>, Vec<HourRecord>);

/// Both tables being written.
struct Tables {
    jobs: JobsWriter<BufWriter<File>>,
    hours: HoursWriter<BufWriter<File>>,
}

impl Output {
    pub(super) fn open(outset: &Outset, rest: Option<Rest>) -> anyhow::Result<Self> {
        let (jobs, hours) = (Vec::new(), Vec::new());
        let mut energy = EnergyLog::new(&outset.works, outset.start);
        let Some(folder) = &outset.out else {
            return Ok(Self { energy, folder: None, jobs, hours, sender: None, writer: None });
        };
        std::fs::create_dir_all(folder).with_context(|| format!("`{}` can not be made", folder.display()))?;
        let names = Names::of(&outset.federation);
        let tables = match rest {
            None => Tables {
                jobs: TableWriter::new(create(&folder.join(JOBS))?, &names)?,
                hours: TableWriter::new(create(&folder.join(HOURS))?, &names)?,
            },
            Some(rest) => {
                keep_old(folder)?;
                had(&mut energy, &old(&folder.join(HOURS)), &names, &rest.hours)?;
                Tables {
                    jobs: go_on(&folder.join(JOBS), &rest.jobs, &names)?,
                    hours: go_on(&folder.join(HOURS), &rest.hours, &names)?,
                }
            }
        };
        let (sender, receiver) = sync_channel(WAITING);
        let writer = std::thread::spawn(move || write_all(tables, &receiver));
        Ok(Self {
            energy,
            folder: Some(folder.clone()),
            jobs,
            hours,
            sender: Some(sender),
            writer: Some(writer),
        })
    }

    /// What became of the energy of each site in all hours so far.
    pub(super) fn energy(&self, federation: &Federation, end: Instant) -> Vec<Energy> {
        self.energy.energy(federation, end)
    }

    fn pass_on(&mut self) {
        let bundle = (std::mem::take(&mut self.jobs), std::mem::take(&mut self.hours));
        if let Some(sender) = &self.sender {
            // The writer hangs up only when it failed; its error comes out when it is joined.
            let _hung_up = sender.send(bundle);
        }
    }

    /// Sends what is left and waits for the writer.
    fn join(&mut self) -> anyhow::Result<Option<Tables>> {
        self.pass_on();
        self.sender = None;
        let Some(writer) = self.writer.take() else { return Ok(None) };
        let tables = writer.join().map_err(|_| anyhow::anyhow!("the writer of the tables broke off"))?;
        Ok(Some(tables.context("the tables can not be written")?))
    }

    /// Ends the tables and writes the summary and the page beside them.
    pub(super) fn finish(
        mut self,
        json: &str,
        federation: &Federation,
        summary: &Summary,
        facts: &RunFacts,
    ) -> anyhow::Result<()> {
        let Some(tables) = self.join()? else { return Ok(()) };
        let folder = self.folder.take().expect("tables are in a folder");
        flush(tables.jobs.finish()?)?;
        flush(tables.hours.finish()?)?;
        let path = folder.join("summary.json");
        std::fs::write(&path, json).with_context(|| format!("`{}` can not be written", path.display()))?;
        page::write(&folder, federation, summary, facts)?;
        // A run that is over has nothing to go on with.
        remove(&folder.join(SAVED))?;
        drop_old(&folder)
    }

    /// Ends the tables behind their last full group; the folder and the other rows.
    pub(super) fn save(mut self) -> anyhow::Result<Option<Left>> {
        let Some(tables) = self.join()? else { return Ok(None) };
        let (file, jobs) = tables.jobs.save()?;
        flush(file)?;
        let (file, hours) = tables.hours.save()?;
        flush(file)?;
        Ok(Some((self.folder.take().expect("tables are in a folder"), jobs, hours)))
    }
}

impl Sink for Output {
    type Error = TableError;

    fn job(&mut self, row: &JobRecord) -> Result<(), TableError> {
        if self.sender.is_some() {
            self.jobs.push(*row);
            if self.jobs.len() >= BUNDLE {
                self.pass_on();
            }
        }
        Ok(())
    }

    fn hour(&mut self, row: &HourRecord) -> Result<(), TableError> {
        self.energy.add(row);
        if self.sender.is_some() {
            self.hours.push(*row);
        }
        Ok(())
    }
}

fn write_all(
    mut tables: Tables,
    receiver: &Receiver<(Vec<JobRecord>, Vec<HourRecord>)>,
) -> Result<Tables, TableError> {
    for (jobs, hours) in receiver {
        jobs.iter().try_for_each(|row| tables.jobs.write(row))?;
        hours.iter().try_for_each(|row| tables.hours.write(row))?;
    }
    Ok(tables)
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("`{}` can not be written", path.display()))?;
    Ok(BufWriter::new(file))
}

/// Where the table of a saved run lies while the run goes on, so that it can begin there again if it breaks off.
fn old(table: &Path) -> PathBuf {
    table.with_extension("parquet.saved")
}

/// Puts the tables of a saved run aside, both or none. What lies aside already is what counts: the run was gone on
/// with before, and broke off.
fn keep_old(folder: &Path) -> anyhow::Result<()> {
    let tables = [JOBS, HOURS].map(|name| folder.join(name));
    for table in &tables {
        anyhow::ensure!(table.exists() || old(table).exists(), "`{}` is missing", table.display());
    }
    for table in tables.iter().filter(|table| !old(table).exists()) {
        std::fs::rename(table, old(table))
            .with_context(|| format!("`{}` can not be put aside", table.display()))?;
    }
    Ok(())
}

/// Removes the tables that were put aside, once the run is over or saved anew.
pub(super) fn drop_old(folder: &Path) -> anyhow::Result<()> {
    [JOBS, HOURS].iter().try_for_each(|name| remove(&old(&folder.join(name))))
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("`{}` can not be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// The hours that a saved run had: those of full groups are in its table, the others with the run.
fn had(log: &mut EnergyLog, table: &Path, names: &Names, rest: &[HourRecord]) -> anyhow::Result<()> {
    let cannot = || format!("`{}` can not be read", table.display());
    let saved = File::open(table).with_context(cannot)?;
    for row in TableReader::<HourRecord>::open(saved, names).with_context(cannot)? {
        log.add(&row.with_context(cannot)?);
    }
    rest.iter().for_each(|row| log.add(row));
    Ok(())
}

/// A new table that begins with the rows of the saved one.
fn go_on<R: Record>(
    path: &Path,
    rest: &[R],
    names: &Names,
) -> anyhow::Result<TableWriter<R, BufWriter<File>>> {
    let old = old(path);
    let saved = File::open(&old).with_context(|| format!("`{}` can not be read", old.display()))?;
    Ok(TableWriter::resume(saved, rest, create(path)?, names)?)
}

fn flush(file: BufWriter<File>) -> anyhow::Result<()> {
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}
