//! Keys of the Slurm of a site.

use crate::description::field::{Kind, Section, optional, preset, required};

/// `[site.slurm]`.
pub(crate) static SLURM: Section = Section {
    name: "[site.slurm]",
    doc: "how the Slurm of a site is reached, and what of it is lent",
    fields: &[
        required("partition", Kind::Name, "\"giga\"", "the partition that jobs are submitted to"),
        preset(
            "mode",
            Kind::Word(&["owned", "guest", "observe"]),
            "\"owned\"",
            "the partition is lent to us alone",
            "what we may do there: decide what starts and where, submit beside others, or look on",
        ),
        optional("pool", Kind::Tables(&POOL, 1_000), "pools that are not told by the partition alone"),
        preset(
            "gres",
            Kind::Text,
            "\"gpu\"",
            "the name that Slurm's own plugin for accelerators has",
            "what Slurm calls its accelerators; `none` where it does not count them",
        ),
        optional(
            "conf",
            Kind::Text,
            "its slurm.conf; without it the one of this machine, as its commands find it",
        ),
        optional(
            "rest",
            Kind::Text,
            "address of its slurmrestd, as http://host:port or https://host; without it its commands are used",
        ),
        optional(
            "jwt_key",
            Kind::Text,
            "file with the key that signs tokens for slurmrestd (`jwt_key` of slurm.conf)",
        ),
        optional("user", Kind::Name, "whose jobs they are there; without it the user of the server"),
        optional("account", Kind::Name, "the account that is charged there, if one must be named"),
        optional("qos", Kind::Name, "the quality of service, if one must be named"),
        optional("reservation", Kind::Name, "the reservation that is lent, if one is"),
        optional(
            "folder",
            Kind::Text,
            "a folder that the nodes see under the same path; without it the data folder",
        ),
        optional("program", Kind::Text, "where the nodes find giga; without it a copy in that folder serves"),
    ],
};

static POOL: Section = Section {
    name: "[[site.slurm.pool]]",
    doc: "where the nodes of a pool are",
    fields: &[
        required("name", Kind::Name, "\"main\"", "the pool"),
        optional("partition", Kind::Name, "its partition, if it is another one"),
        optional("constraint", Kind::Text, "a feature that its nodes have and no others of the partition"),
    ],
};
