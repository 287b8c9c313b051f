//! Keys of datasets, of the network, and of agreements between owners.

use crate::description::field::{
    BYTES, DATA_RATE, FRACTION, Field, Kind, MONEY, Section, optional, preset, required, ruled,
};

/// Most datasets: a dataset's number is 16 bits wide.
const DATASETS_MAX: usize = 10_000;

/// The field of the datasets.
pub(crate) const DATASETS: Field =
    optional("dataset", Kind::Tables(&DATASET, DATASETS_MAX), "data that is registered, with its policy");

/// What may leave, from the strictest on.
pub(crate) const LEAVING: Kind = Kind::Word(&["nothing", "aggregated", "derived", "everything"]);

static DATASET: Section = Section {
    name: "[[dataset]]",
    doc: "data with its holder, the sites that hold a copy, and what may be done with it",
    fields: &[
        required("name", Kind::Name, "\"scans\"", "what people call it"),
        required("holder", Kind::Text, "\"university hospital\"", "who controls it"),
        required(
            "size",
            Kind::Amount { of: &BYTES, min: "0 B", max: "90 PB" },
            "\"12 TB\"",
            "how large it is",
        ),
        required("places", Kind::Names { max: 4_000 }, "[\"kajaani\"]", "sites that hold a copy"),
        optional(
            "countries",
            Kind::Names { max: 300 },
            "where it may be processed, by ISO 3166-1 code; without it in any country",
        ),
        optional("sites", Kind::Names { max: 4_000 }, "sites that may process it; without it any"),
        preset(
            "may_leave",
            LEAVING,
            "\"nothing\"",
            "assumption: what is not allowed is forbidden",
            "what may leave its places: nothing, aggregates, what is derived from it, or the data itself",
        ),
        preset(
            "assurance",
            Kind::Count { min: 1, max: 4 },
            "1",
            "assumption: any site will do unless it is said",
            "least assurance level of a site that processes it",
        ),
    ],
};

const RATE: Kind = Kind::Amount { of: &DATA_RATE, min: "1 bit/s", max: "1000 Tbit/s" };
const TRANSFER: Kind = Kind::Amount { of: &MONEY, min: "0 EUR", max: "1 m EUR" };

/// `[network]`.
pub(crate) static NETWORK: Section = Section {
    name: "[network]",
    doc: "what connects any two sites that have no link of their own",
    fields: &[
        preset(
            "rate",
            RATE,
            "\"10 Gbit/s\"",
            "assumption: a good part of a 100 Gbit/s port",
            "what a transfer gets",
        ),
        preset(
            "cost_per_terabyte",
            TRANSFER,
            "\"0 EUR\"",
            "assumption: research networks bill by the year, not by the byte",
            "what a terabyte costs",
        ),
    ],
};

/// `[[link]]`.
pub(crate) static LINK: Section = Section {
    name: "[[link]]",
    doc: "what connects a pair of sites",
    fields: &[
        required("sites", Kind::Names { max: 2 }, "[\"kajaani\", \"stuttgart\"]", "the two"),
        ruled("rate", RATE, "that of [network]", "what a transfer gets"),
        ruled("cost_per_terabyte", TRANSFER, "that of [network]", "what a terabyte costs"),
    ],
};

/// `[[agreement]]`.
pub(crate) static AGREEMENT: Section = Section {
    name: "[[agreement]]",
    doc: "two owners exchange shares: the only way in which a share moves between sites",
    fields: &[
        required("name", Kind::Name, "\"north-south\"", "what people call it"),
        required("gives", Kind::Table(&GIVES), "[agreement.gives]", "what the first owner gives"),
        required(
            "takes",
            Kind::Table(&TAKES),
            "[agreement.takes]",
            "who gets it, and where that is given back",
        ),
        preset(
            "rate",
            Kind::Factor { min: 1, max: 1_000_000_000 },
            "1",
            "assumption: an hour for an hour",
            "accelerator-hours given back for each that is given, all phases open",
        ),
    ],
};

static GIVES: Section = Section {
    name: "`gives` of an agreement",
    doc: "the first owner, and the share it gives",
    fields: &[
        required("owner", Kind::Text, "\"finland\"", "who gives"),
        required("site", Kind::Text, "\"kajaani\"", "where"),
        required(
            "share",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            "\"5 %\"",
            "how much of that site",
        ),
    ],
};

static TAKES: Section = Section {
    name: "`takes` of an agreement",
    doc: "the second owner, and where it gives back",
    fields: &[
        required("owner", Kind::Text, "\"germany\"", "who gets that share"),
        required("site", Kind::Text, "\"stuttgart\"", "where it gives a share of its own for it"),
    ],
};
