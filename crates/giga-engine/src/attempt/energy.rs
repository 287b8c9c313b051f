//! The energy of real accelerators, from their own counters. Virtual ones have none, and no figure is made up.
//!
//! With feature `nvidia` the driver's library is loaded when the program runs. Where there is none, or the feature is
//! off, there are no devices and no counters.

use giga_formats::attempt::Handover;
use giga_model::Measured;

use super::body::under_slurm;

/// A real accelerator of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What its maker calls it.
    pub name: String,
    /// What tells it from all others.
    pub uuid: String,
}

/// The real accelerators of this machine.
pub(crate) fn devices() -> Vec<Device> {
    source::devices()
}

/// The devices of an attempt: those that it was handed over with, or those that Slurm chose for the job of this process. None where it
/// has more than one host, since only this one's can be read.
pub(crate) fn of_attempt(handover: &Handover) -> Vec<String> {
    if !under_slurm() {
        return handover.devices.clone();
    }
    if handover.launch.nodes.len() > 1 {
        return Vec::new();
    }
    chosen(&std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default(), &devices())
}

/// The ids of devices that are listed by id or by number; none where one of them is not there.
fn chosen(list: &str, devices: &[Device]) -> Vec<String> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    let id = |word: &str| match word.parse::<usize>() {
        Ok(number) => devices.get(number).map(|device| device.uuid.clone()),
        Err(_) => devices.iter().find(|device| device.uuid == word).map(|device| device.uuid.clone()),
    };
    words.map(id).collect::<Option<_>>().unwrap_or_default()
}

/// How busy some devices are.
pub(crate) struct Gauges(source::Gauges);

impl Gauges {
    /// `None` where there is no device, or none can be read.
    pub(crate) fn open(devices: Vec<String>) -> Option<Self> {
        if devices.is_empty() { None } else { source::Gauges::open(devices).map(Self) }
    }

    /// The percentage of the time in which the busiest of them did something, over the last second at most; `None` where one of them
    /// can not be read.
    pub(crate) fn busiest(&self) -> Option<u32> {
        self.0.busiest()
    }
}

/// Counters of some devices, as they stood at the beginning.
pub(crate) struct Meter(source::Counters);

impl Meter {
    /// Reads the counters, or `None` where there is no device or one of them can not be read.
    pub(crate) fn begin(devices: &[String]) -> Option<Self> {
        if devices.is_empty() { None } else { source::Counters::begin(devices).map(Self) }
    }

    /// What the devices took since, or `None` where that can not be read.
    pub(crate) fn end(self) -> Option<Measured> {
        self.0.end()
    }
}

#[cfg(feature = "nvidia")]
mod source {
    //! NVIDIA accelerators, through NVML.

    use giga_model::Measured;
    use giga_units::{EnergyMeter, Fraction};
    use nvml_wrapper::Nvml;
    use nvml_wrapper::error::NvmlError;

    use super::Device;

    const METHOD: &str = "nvml counter";
    /// An assumption: the documentation of NVML states 5 % for power readings of its older boards, and nothing for the
    /// counter, which sums such readings up.
    const UNCERTAINTY: Fraction = Fraction::ppm(50_000);

    pub(crate) fn devices() -> Vec<Device> {
        let listed = || {
            let nvml = library()?;
            let one = |index| {
                let device = nvml.device_by_index(index)?;
                Ok(Device { name: device.name()?, uuid: device.uuid()? })
            };
            (0..nvml.device_count()?).map(one).collect::<Result<_, NvmlError>>()
        };
        listed().unwrap_or_default()
    }

    /// The driver's library: by its name for builders, or by the one that is there without them.
    fn library() -> Result<Nvml, NvmlError> {
        Nvml::init().or_else(|_| Nvml::builder().lib_path("libnvidia-ml.so.1".as_ref()).init())
    }

    /// The library, the devices by id, and their counters in millijoule.
    pub(crate) struct Counters {
        nvml: Nvml,
        at_begin: Vec<(String, u64)>,
    }

    impl Counters {
        pub(crate) fn begin(devices: &[String]) -> Option<Self> {
            let nvml = library().ok()?;
            let counted = devices.iter().map(|uuid| Some((uuid.clone(), count(&nvml, uuid)?)));
            let at_begin = counted.collect::<Option<_>>()?;
            Some(Self { nvml, at_begin })
        }

        pub(crate) fn end(self) -> Option<Measured> {
            let taken = |(uuid, before): &(String, u64)| {
                // A counter that went back was set to zero by a driver that came up anew: nothing can be told.
                count(&self.nvml, uuid)?.checked_sub(*before).map(u128::from)
            };
            let millijoules = self.at_begin.iter().map(taken).sum::<Option<u128>>()?;
            let energy = EnergyMeter::microjoules(millijoules * 1_000).energy();
            Some(Measured { energy, method: METHOD.to_owned(), uncertainty: UNCERTAINTY })
        }
    }

    pub(crate) struct Gauges {
        nvml: Nvml,
        devices: Vec<String>,
    }

    impl Gauges {
        pub(crate) fn open(devices: Vec<String>) -> Option<Self> {
            library().ok().map(|nvml| Self { nvml, devices })
        }

        pub(crate) fn busiest(&self) -> Option<u32> {
            let one = |uuid: &String| {
                let rates = self.nvml.device_by_uuid(uuid.as_str()).ok()?.utilization_rates().ok()?;
                Some(rates.gpu)
            };
            self.devices.iter().map(one).collect::<Option<Vec<u32>>>()?.into_iter().max()
        }
    }

    fn count(nvml: &Nvml, uuid: &str) -> Option<u64> {
        nvml.device_by_uuid(uuid).ok()?.total_energy_consumption().ok()
    }
}

#[cfg(not(feature = "nvidia"))]
mod source {
    //! No accelerators: support for them was not built.

    use giga_model::Measured;

    use super::Device;

    pub(crate) fn devices() -> Vec<Device> {
        Vec::new()
    }

    /// There are none; this is never made.
    pub(crate) struct Counters;

    impl Counters {
        pub(crate) fn begin(_devices: &[String]) -> Option<Self> {
            None
        }
        pub(crate) fn end(self) -> Option<Measured> {
            None
        }
    }

    /// The same.
    pub(crate) struct Gauges;

    impl Gauges {
        pub(crate) fn open(_devices: Vec<String>) -> Option<Self> {
            None
        }
        pub(crate) fn busiest(&self) -> Option<u32> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_chosen_by_number_or_id() {
        let devices = ["GPU-a", "GPU-b"].map(|uuid| Device { name: "x".into(), uuid: uuid.into() });
        let check = |list: &str, expected: &[&str]| assert_eq!(chosen(list, &devices), expected, "{list}");
        check("1,0", &["GPU-b", "GPU-a"]);
        check("GPU-b", &["GPU-b"]);
        check("", &[]);
        // A part of the devices would be a part of the energy.
        check("0,2", &[]);
        check("MIG-c", &[]);
    }

    #[test]
    fn no_device_has_no_energy_and_a_strange_one_neither() {
        assert!(Meter::begin(&[]).is_none());
        assert!(Meter::begin(&["GPU-no-such".to_owned()]).is_none());
        for device in devices() {
            let meter = Meter::begin(&[device.uuid]).expect("a device that is listed has a counter");
            assert!(meter.end().is_some());
        }
    }
}
