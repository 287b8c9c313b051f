//! The columns of `hours.parquet`.

use giga_control::record::{HourRecord, TimeUse};
use giga_model::SiteId;
use giga_units::{AcceleratorTime, Carbon, Energy, Instant, Money, Power};

use super::names::Written;
use super::{Batch, Layout, TableError};
use crate::columnar::{Cell, Field};

impl Layout for HourRecord {
    const TABLE: &'static str = "hours";

    const FIELDS: &'static [Field<Self, Written>] = &[
        Field::required("hour", Cell::Instant(|row| Some(row.hour.as_unix_milliseconds().into()))),
        Field::required("site", Cell::Text(|names, row| Some(names.sites[row.site.index()].clone()))),
        Field::required(
            "installed_accelerator_ms",
            Cell::Number(|row| Some(row.time.installed.as_milliseconds())),
        ),
        Field::required(
            "delivered_accelerator_ms",
            Cell::Number(|row| Some(row.time.delivered.as_milliseconds())),
        ),
        Field::required(
            "no_work_accelerator_ms",
            Cell::Number(|row| Some(row.time.no_work.as_milliseconds())),
        ),
        Field::required(
            "fragmentation_accelerator_ms",
            Cell::Number(|row| Some(row.time.fragmentation.as_milliseconds())),
        ),
        Field::required("power_accelerator_ms", Cell::Number(|row| Some(row.time.power.as_milliseconds()))),
        Field::required(
            "failure_accelerator_ms",
            Cell::Number(|row| Some(row.time.failure.as_milliseconds())),
        ),
        Field::required(
            "maintenance_accelerator_ms",
            Cell::Number(|row| Some(row.time.maintenance.as_milliseconds())),
        ),
        Field::required("energy_j", Cell::Number(|row| Some(row.energy.as_joules()))),
        Field::required("peak_milliwatt", Cell::Number(|row| Some(row.peak.as_milliwatts().into()))),
        Field::required("cost_uEUR", Cell::Number(|row| Some(row.cost.as_microeuro()))),
        Field::required("carbon_mg", Cell::Number(|row| Some(row.carbon.as_milligrams()))),
        Field::required("running", Cell::Number(|row| Some(row.running.into()))),
        Field::required("waiting", Cell::Number(|row| Some(row.waiting.into()))),
        Field::required("recall_accelerator_ms", Cell::Number(|row| Some(row.time.recall.as_milliseconds()))),
        Field::required("node_energy_j", Cell::Number(|row| Some(row.node_energy.as_joules()))),
    ];

    fn assemble(batch: &Batch<'_>, row: usize) -> Result<Self, TableError> {
        let time = |column| Ok::<_, TableError>(AcceleratorTime::milliseconds(batch.number(row, column)?));
        Ok(Self {
            hour: Instant::unix_milliseconds(batch.number(row, 0)?),
            site: SiteId::at(batch.name(row, 1, |name| batch.index.sites.find(name))?),
            time: TimeUse {
                installed: time(2)?,
                delivered: time(3)?,
                no_work: time(4)?,
                fragmentation: time(5)?,
                power: time(6)?,
                failure: time(7)?,
                maintenance: time(8)?,
                recall: time(15)?,
            },
            energy: Energy::joules(batch.number(row, 9)?),
            node_energy: Energy::joules(batch.number(row, 16)?),
            peak: Power::milliwatts(batch.number(row, 10)?),
            cost: Money::microeuro(batch.number(row, 11)?),
            carbon: Carbon::milligrams(batch.number(row, 12)?),
            running: batch.number(row, 13)?,
            waiting: batch.number(row, 14)?,
        })
    }
}
