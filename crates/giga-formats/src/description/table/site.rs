//! Keys of accelerators, sites, phases and pools.

use super::over_time::{CARBON_SERIES, PRICE_SERIES, SITE_LIMIT, WEATHER};
use crate::description::field::{
    BYTES, CARBON_INTENSITY, DURATION, ENERGY_PRICE, FLOPS, FRACTION, Kind, MONEY, POWER, Section, optional,
    preset, required, ruled,
};

const NODE_POWER: Kind = Kind::Amount { of: &POWER, min: "0 W", max: "1 MW" };
const LIFE: Kind = Kind::Amount { of: &DURATION, min: "30 d", max: "100 y" };

/// `[[accelerator]]`.
pub(crate) static ACCELERATOR: Section = Section {
    name: "[[accelerator]]",
    doc: "a kind of accelerator as it is installed: in a node, in a rack",
    fields: &[
        required("name", Kind::Name, "\"GB300-NVL72\"", "its name; one of the catalogue is replaced by it"),
        required("per_node", Kind::Count { min: 1, max: 255 }, "4", "accelerators in one node"),
        preset(
            "nodes_per_rack",
            Kind::Count { min: 1, max: 4_096 },
            "1",
            "assumption: every node is a scale-up domain of its own",
            "nodes in one rack, which is one scale-up domain",
        ),
        required("node_idle", NODE_POWER, "\"1.2 kW\"", "what a node draws while nothing runs"),
        required("node_max", NODE_POWER, "\"7.9 kW\"", "what a node draws at most, accelerators included"),
        preset(
            "memory",
            Kind::Amount { of: &BYTES, min: "0 B", max: "1 PB" },
            "\"0 GB\"",
            "not known; it is only shown",
            "memory of one accelerator",
        ),
        preset(
            "speed",
            Kind::Amount { of: &FLOPS, min: "0 TFLOP/s", max: "1 EFLOP/s" },
            "\"0 TFLOP/s\"",
            "not known; it is only shown",
            "dense 16-bit arithmetic of one accelerator",
        ),
        required(
            "cost",
            Kind::Amount { of: &MONEY, min: "0 EUR", max: "10 m EUR" },
            "\"41600 EUR\"",
            "capital for one accelerator with its part of node, rack and network",
        ),
        preset(
            "life",
            LIFE,
            "\"5 y\"",
            "Epoch AI (May 2026) reckons with 3 to 7 years; the middle",
            "years over which that capital is spread",
        ),
    ],
};

/// `[[site]]`.
pub(crate) static SITE: Section = Section {
    name: "[[site]]",
    doc: "one location: grid connection, facility, pools",
    fields: &[
        required("name", Kind::Name, "\"narvik\"", "what people call it"),
        required("country", Kind::Text, "\"NO\"", "ISO 3166-1 code of two letters"),
        optional(
            "zone",
            Kind::Text,
            "bidding zone, such as NO4, from which price and carbon intensity follow",
        ),
        preset(
            "facility_factor",
            Kind::Factor { min: 1_000_000, max: 10_000_000 },
            "1.36",
            "mean PUE of the European data centres that reported under Regulation (EU) 2024/1364",
            "power at the meter over power of the nodes",
        ),
        ruled(
            "electricity_price",
            Kind::Amount { of: &ENERGY_PRICE, min: "-10000 EUR/MWh", max: "100000 EUR/MWh" },
            "mean spot price of the zone, or of the country where it is one zone",
            "what electricity costs here",
        ),
        ruled(
            "carbon_intensity",
            Kind::Amount { of: &CARBON_INTENSITY, min: "0 gCO2e/kWh", max: "10000 gCO2e/kWh" },
            "yearly mean of the zone, or of the country where it is one zone",
            "what electricity emits here, life cycle",
        ),
        preset(
            "assurance",
            Kind::Count { min: 1, max: 4 },
            "1",
            "assumption: the lowest unless it is said",
            "how far sovereignty over it is assured: level 1 to 4 of the proposal COM(2026) 502",
        ),
        ruled(
            "cap_power",
            Kind::Amount { of: &FRACTION, min: "1 %", max: "100 %" },
            CAP,
            "what a capped accelerator may draw of what it could draw above idle; 100 % where nothing is capped",
        ),
        ruled(
            "cap_speed",
            Kind::Amount { of: &FRACTION, min: "1 %", max: "100 %" },
            CAP_SPEED,
            "how fast work goes forward under the cap",
        ),
        ruled(
            "suspends",
            Kind::Flag,
            SUSPENDS,
            "whether work can be stopped in place: it keeps nodes and memory",
        ),
        preset(
            "facility_cost",
            Kind::Amount { of: &MONEY, min: "0 EUR", max: "1 bn EUR" },
            "\"13 m EUR\"",
            "Bernstein: 2.5 of 5.9 m USD per NVL72 rack at 35 bn USD/GW is 14.8 m USD/MW; 0.88 EUR/USD, assumption",
            "capital for building and grounds per MW of connection",
        ),
        preset(
            "facility_life",
            LIFE,
            "\"20 y\"",
            "assumption: usual service life of power and cooling plant",
            "years over which that capital is spread",
        ),
        optional(
            "ramp_most",
            Kind::Amount { of: &POWER, min: "1 W", max: "100 GW" },
            "by how much its power may change within a minute by its connection agreement; what goes beyond is counted",
        ),
        preset("oversubscribed", Kind::Flag, "false", "a site can feed what it holds", OVERSUBSCRIBED),
        preset("spare_power", Kind::Flag, "false", "a site is built for what it holds", SPARE),
        preset(
            "failures",
            Kind::Table(&FAILURES),
            "{}",
            "every key has one",
            "what breaks and how long a repair takes",
        ),
        optional("maintenance", Kind::Table(&MAINTENANCE), "windows known ahead; without it none"),
        ruled(
            "price_series",
            Kind::Table(&PRICE_SERIES),
            "where `electricity_price` is not written, the shape of the zone, if it has one",
            "what electricity costs over time; without it the mean",
        ),
        optional(
            "carbon_series",
            Kind::Table(&CARBON_SERIES),
            "what it emits over time; without it the mean",
        ),
        ruled(
            "weather",
            Kind::Table(&WEATHER),
            "where `cooling` is written, the built-in climate of the zone or the country",
            "the air there over time",
        ),
        optional(
            "cooling",
            Kind::Table(&super::cooling::COOLING),
            "what cools it; without it `facility_factor` says what it draws in all",
        ),
        super::supply::FIELD,
        optional("limit", Kind::Tables(&SITE_LIMIT, 1_000), "times in which the grid gives less"),
        optional("engine", Kind::Word(&["local", "local-nvidia", "slurm"]), ENGINE),
        optional(
            "slurm",
            Kind::Table(&super::slurm::SLURM),
            "how its Slurm is reached, with `engine = \"slurm\"`",
        ),
        optional("containers", Kind::Word(&["apptainer", "charliecloud"]), CONTAINERS),
        ruled(
            "shares",
            Kind::Shares,
            "equal parts for all owners",
            "each owner's part of the accelerator time",
        ),
        required("phase", Kind::Tables(&PHASE, 100), "[[site.phase]]", "what is added when, by date"),
    ],
};

const ENGINE: &str = "what carries decisions out there: local processes, on virtual accelerators or NVIDIA's, or a Slurm cluster; without it it is only described";
const CONTAINERS: &str = "what runs the containers of jobs there; without it such jobs go elsewhere";
const OVERSUBSCRIBED: &str = "the pools may need more than the power; the scheduler then keeps them below it";
const SPARE: &str = "the connection is meant to be over twice what the pools need";

const CAP: &str =
    "60 %, as 150 of 250 W in arXiv:2205.09646; 100 % where `engine` is written, which caps nothing";
const CAP_SPEED: &str = "93.6 %, training of large language models 6.8 % longer in arXiv:2205.09646; 100 % where `engine` is written";
const SUSPENDS: &str =
    "true, as Slurm's `scontrol suspend`; false where `engine` is written, which suspends nothing";

static PHASE: Section = Section {
    name: "[[site.phase]]",
    doc: "what a site adds at a date",
    fields: &[
        ruled("opens", Kind::Date, "the start of the federation", "when it opens"),
        required(
            "power",
            Kind::Amount { of: &POWER, min: "0 W", max: "100 GW" },
            "\"230 MW\"",
            "power that the connection gains",
        ),
        optional("pool", Kind::Tables(&POOL, 1_000), "pools that are new or grow; without it only power"),
    ],
};

static POOL: Section = Section {
    name: "[[site.phase.pool]]",
    doc: "identical nodes; the same name in a later phase makes the pool larger",
    fields: &[
        required("name", Kind::Name, "\"main\"", "what people call it"),
        required(
            "accelerator",
            Kind::Text,
            "\"GB300-NVL72\"",
            "what it holds: of the catalogue or defined here",
        ),
        required(
            "accelerators",
            Kind::Count { min: 1, max: 2_550_000_000 },
            "1024",
            "how many are added; a whole number of nodes",
        ),
    ],
};

static FAILURES: Section = Section {
    name: "[site.failures]",
    doc: "what breaks and how long a repair takes",
    fields: &[
        preset("enabled", Kind::Flag, "true", "hardware breaks", "whether anything breaks"),
        preset(
            "accelerator_mtbf",
            Kind::Amount { of: &DURATION, min: "1 h", max: "100000 y" },
            "\"50676 h\"",
            "Llama 3 (2024): 419 unexpected interruptions in 54 days on 16,384 H100, one per 50,676 hours",
            "mean time of one accelerator between failures that stop the work on its node",
        ),
        preset(
            "repair",
            Kind::Amount { of: &DURATION, min: "1 s", max: "1 y" },
            "\"4 h\"",
            "assumption: between a restart in minutes and a swapped tray within a shift or two",
            "mean time until the node is back",
        ),
    ],
};

static MAINTENANCE: Section = Section {
    name: "[site.maintenance]",
    doc: "windows that repeat, in which the whole site is out",
    fields: &[
        required("first", Kind::Date, "2027-02-03T06:00", "when the first begins"),
        required(
            "every",
            Kind::Amount { of: &DURATION, min: "1 s", max: "100 y" },
            "\"13 w\"",
            "from one beginning to the next",
        ),
        required(
            "length",
            Kind::Amount { of: &DURATION, min: "1 s", max: "1 y" },
            "\"8 h\"",
            "how long each lasts",
        ),
    ],
};
