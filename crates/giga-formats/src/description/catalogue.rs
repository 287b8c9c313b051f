//! The built-in catalogue of accelerators: every figure with its source.
//!
//! A figure without a source that was seen says `assumption`. A description replaces an entry by defining one of the
//! same name. Prices in dollars are turned at 0.88 EUR, an assumption.

/// An entry of the catalogue.
pub(crate) struct Known {
    /// Its name in descriptions.
    pub(crate) name: &'static str,
    /// Keys of `[[accelerator]]` with value, as it would be written, and source.
    pub(crate) figures: &'static [(&'static str, &'static str, &'static str)],
}

/// The entry of this name.
pub(crate) fn find(name: &str) -> Option<&'static Known> {
    CATALOGUE.iter().find(|known| known.name == name)
}

const TRAY: &str = "NVIDIA: a rack has 18 compute trays with 4 GPUs each";
const DGX: &str = "NVIDIA: the system holds 8 GPUs";
const DGX_RACK: &str = "NVIDIA DGX SuperPOD: 4 systems in a rack";
const DATASHEET: &str = "NVIDIA data sheet";
const BLADE: &str = "RAPS model of Frontier: a node has 4 modules";
const BLADE_RACK: &str = "RAPS model of Frontier: 128 nodes in a rack";
const BLADE_IDLE: &str = "RAPS model of Frontier: 4 x 88 W, CPU 90, memory 74, NIC 4 x 20, NVMe 30";
const BLADE_MAX: &str = "RAPS model of Frontier: 4 x 560 W, CPU 280, memory 74, NIC 4 x 20, NVMe 30";
const AMD_SHEET: &str = "AMD data sheet";
const HGX_COST: &str = "assumption: system list price with a third for network and storage";

/// All entries.
pub(crate) static CATALOGUE: &[Known] = &[
    Known {
        name: "GB300-NVL72",
        figures: &[
            ("per_node", "4", TRAY),
            ("nodes_per_rack", "18", TRAY),
            ("node_idle", "\"1.2 kW\"", "assumption: a GB200 tray idles at 1.0 kW; scaled with the rack"),
            ("node_max", "\"7.889 kW\"", "vendors: rack 132 to 142 kW; the upper end over 18 trays"),
            ("memory", "\"288 GB\"", DATASHEET),
            ("speed", "\"2500 TFLOP/s\"", "NVIDIA: dense 16-bit, as GB200 at 1,200 W"),
            ("cost", "\"41556 EUR\"", "Bernstein: 3.4 m USD compute per NVL72 rack over 72; 0.88 EUR/USD"),
        ],
    },
    Known {
        name: "GB200-NVL72",
        figures: &[
            ("per_node", "4", TRAY),
            ("nodes_per_rack", "18", TRAY),
            ("node_idle", "\"1 kW\"", "vendors: tray 1.0 to 6.7 kW"),
            ("node_max", "\"6.7 kW\"", "vendors: tray 1.0 to 6.7 kW, rack 120 kW"),
            ("memory", "\"186 GB\"", "NVIDIA data sheet: 13.4 TB a rack"),
            ("speed", "\"2500 TFLOP/s\"", DATASHEET),
            ("cost", "\"36667 EUR\"", "press: about 3 m USD a rack; 0.88 EUR/USD"),
        ],
    },
    Known {
        name: "VR-NVL72",
        figures: &[
            ("per_node", "4", TRAY),
            ("nodes_per_rack", "18", TRAY),
            ("node_idle", "\"2 kW\"", "assumption: GB200's idle scaled with the rack"),
            ("node_max", "\"12.778 kW\"", "vendors: rack 190 to 230 kW; the upper end over 18 trays"),
            ("memory", "\"288 GB\"", "NVIDIA announcement of Vera Rubin"),
            ("speed", "\"4000 TFLOP/s\"", "assumption: 1.6 times GB300"),
            ("cost", "\"62000 EUR\"", "assumption: 1.5 times GB300"),
        ],
    },
    Known {
        name: "B200-HGX",
        figures: &[
            ("per_node", "8", DGX),
            ("nodes_per_rack", "4", DGX_RACK),
            ("node_idle", "\"2.5 kW\"", "assumption: about a sixth of the most"),
            ("node_max", "\"14.3 kW\"", "NVIDIA DGX B200 data sheet"),
            ("memory", "\"180 GB\"", "NVIDIA DGX B200 data sheet: 1,440 GB a system"),
            ("speed", "\"2250 TFLOP/s\"", DATASHEET),
            ("cost", "\"44000 EUR\"", HGX_COST),
        ],
    },
    Known {
        name: "H200-HGX",
        figures: &[
            ("per_node", "8", DGX),
            ("nodes_per_rack", "4", DGX_RACK),
            ("node_idle", "\"2 kW\"", "assumption: about a fifth of the most"),
            ("node_max", "\"10.2 kW\"", "NVIDIA DGX H200 data sheet"),
            ("memory", "\"141 GB\"", DATASHEET),
            ("speed", "\"989 TFLOP/s\"", DATASHEET),
            ("cost", "\"33000 EUR\"", HGX_COST),
        ],
    },
    Known {
        name: "H100-HGX",
        figures: &[
            ("per_node", "8", DGX),
            ("nodes_per_rack", "4", DGX_RACK),
            ("node_idle", "\"2 kW\"", "assumption: about a fifth of the most"),
            ("node_max", "\"10.2 kW\"", "NVIDIA DGX H100 data sheet"),
            ("memory", "\"80 GB\"", DATASHEET),
            ("speed", "\"989 TFLOP/s\"", DATASHEET),
            ("cost", "\"29000 EUR\"", HGX_COST),
        ],
    },
    Known {
        name: "A100-HGX",
        figures: &[
            ("per_node", "8", DGX),
            ("nodes_per_rack", "4", DGX_RACK),
            ("node_idle", "\"1.5 kW\"", "assumption: 8 GPUs at 60 W and a kilowatt of server"),
            ("node_max", "\"6.5 kW\"", "NVIDIA DGX A100 data sheet"),
            ("memory", "\"80 GB\"", DATASHEET),
            ("speed", "\"312 TFLOP/s\"", DATASHEET),
            ("cost", "\"15000 EUR\"", HGX_COST),
        ],
    },
    Known {
        name: "GH200",
        figures: &[
            ("per_node", "4", "Jülich: a JUPITER Booster node has 4 GH200"),
            ("nodes_per_rack", "48", "Jülich: 240 nodes in 5 racks"),
            ("node_idle", "\"0.6 kW\"", "assumption: about a fifth of the most"),
            ("node_max", "\"2.9 kW\"", "Jülich: 680 W a module; 180 W of network and losses, assumption"),
            ("memory", "\"96 GB\"", "Jülich: 96 GB of HBM3"),
            ("speed", "\"989 TFLOP/s\"", DATASHEET),
            (
                "cost",
                "\"11600 EUR\"",
                "press: 273 of JUPITER's 500 m EUR for the system; over 23,536 modules",
            ),
        ],
    },
    Known {
        name: "MI250X-Frontier",
        figures: &[
            ("per_node", "4", BLADE),
            ("nodes_per_rack", "128", BLADE_RACK),
            ("node_idle", "\"626 W\"", BLADE_IDLE),
            ("node_max", "\"2704 W\"", BLADE_MAX),
            ("memory", "\"128 GB\"", AMD_SHEET),
            ("speed", "\"383 TFLOP/s\"", AMD_SHEET),
            ("cost", "\"14000 EUR\"", "press: Frontier about 600 m USD over 37,888 modules; 0.88 EUR/USD"),
        ],
    },
    Known {
        name: "MI250X-LUMI",
        figures: &[
            ("per_node", "4", "LUMI documentation: 2,560 nodes (later 2,978) with 4 modules"),
            ("nodes_per_rack", "128", "assumption: racks as at Frontier, the same blades"),
            ("node_idle", "\"626 W\"", BLADE_IDLE),
            ("node_max", "\"2704 W\"", BLADE_MAX),
            ("memory", "\"128 GB\"", AMD_SHEET),
            ("speed", "\"383 TFLOP/s\"", AMD_SHEET),
            ("cost", "\"14000 EUR\"", "assumption: as Frontier"),
        ],
    },
    Known {
        name: "MI300X",
        figures: &[
            ("per_node", "8", "AMD: the platform holds 8 modules"),
            ("nodes_per_rack", "4", "assumption: as HGX systems"),
            ("node_idle", "\"2 kW\"", "assumption: 8 modules at 140 W and 0.9 kW of server"),
            ("node_max", "\"8.5 kW\"", "AMD data sheet: 750 W a module; 2.5 kW of server, assumption"),
            ("memory", "\"192 GB\"", AMD_SHEET),
            ("speed", "\"1307 TFLOP/s\"", AMD_SHEET),
            ("cost", "\"25000 EUR\"", HGX_COST),
        ],
    },
    Known {
        name: "CPU-slot",
        figures: &[
            ("per_node", "1", "by definition: one slot to a node, for traces and tests"),
            ("nodes_per_rack", "40", "assumption: a common rack"),
            ("node_idle", "\"100 W\"", "assumption: a small server"),
            ("node_max", "\"300 W\"", "assumption: a small server"),
            ("cost", "\"3000 EUR\"", "assumption: a small server"),
        ],
    },
];
