//! The built-in kinds of work and the mix of them: every figure with its source.
//!
//! Sourced is the shape: few large gangs take most of the time and many small jobs take little (Hu et al., NSDI 2024:
//! in Kalos pretraining is 3.2 % of the jobs and 94.0 % of the GPU time, evaluation 92.9 % of the jobs and 0.8 %, as
//! the paper is cited, not checked here;
//! Jeon et al., ATC 2019: most of Philly's jobs ask for one GPU and their lengths span minutes to weeks). The shares
//! of a shared site, the medians and the sizes are assumptions: a gigafactory is not one company's cluster. They are
//! chosen so that 100,000 accelerators at 95 % load get about 1.1 million jobs a year, 750 accelerator-hours each.

/// A built-in kind of work.
pub(crate) struct Class {
    /// Its name in `like`.
    pub(crate) name: &'static str,
    /// Keys of `[[workload.class]]` with value, as it would be written, and source.
    pub(crate) figures: &'static [(&'static str, &'static str, &'static str)],
}

/// The class of this name.
pub(crate) fn find(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}

const ACME: &str = "Hu et al., NSDI 2024 (shape); the figure is an assumption for a shared site";
const PHILLY: &str = "Jeon et al., ATC 2019 (shape); the figure is an assumption";
const LLAMA: &str = "Llama 3 (2024): gangs of thousands for weeks; the figure is an assumption";
const TSAFRIR: &str =
    "Tsafrir et al. 2005 and 2007: users ask for more than they need; the figure is an assumption";
const DRAW: &str = "Acme: an A100 of 400 W drew 191 W in the mean, 404 W at p90; the figure is an assumption";
const GUESS: &str = "assumption";

/// All classes; together they are the built-in mix.
pub(crate) static CLASSES: &[Class] = &[
    Class {
        name: "pretraining",
        figures: &[
            ("share", "\"66 %\"", ACME),
            (
                "sizes",
                "[{ accelerators = 512, weight = 8 }, { accelerators = 1024, weight = 6 }, \
                 { accelerators = 2048, weight = 4 }, { accelerators = 4096, weight = 2 }, \
                 { accelerators = 8192, weight = 0.5 }]",
                LLAMA,
            ),
            ("median", "\"6 d\"", LLAMA),
            ("sigma", "0.9", LLAMA),
            ("length_min", "\"6 h\"", GUESS),
            ("length_max", "\"54 d\"", "Llama 3 (2024): a snapshot of 54 days of one run"),
            ("guess_max", "1.5", TSAFRIR),
            ("checkpoint", "\"young\"", "Young 1974, doi:10.1145/361147.361115"),
            ("checkpoint_cost", "\"2 min\"", GUESS),
            ("draw", "\"90 %\"", DRAW),
        ],
    },
    Class {
        name: "fine-tuning",
        figures: &[
            ("share", "\"17 %\"", ACME),
            (
                "sizes",
                "[{ accelerators = 8, weight = 6 }, { accelerators = 16, weight = 6 }, \
                 { accelerators = 32, weight = 5 }, { accelerators = 64, weight = 3 }, \
                 { accelerators = 128, weight = 1 }, { accelerators = 256, weight = 0.5 }]",
                GUESS,
            ),
            ("median", "\"12 h\"", GUESS),
            ("sigma", "1.2", GUESS),
            ("length_min", "\"10 min\"", GUESS),
            ("length_max", "\"7 d\"", GUESS),
            ("guess_max", "2.5", TSAFRIR),
            ("checkpoint", "\"1 h\"", GUESS),
            ("draw", "\"80 %\"", DRAW),
        ],
    },
    Class {
        name: "experiments",
        figures: &[
            ("share", "\"4 %\"", ACME),
            (
                "sizes",
                "[{ accelerators = 1, weight = 30 }, { accelerators = 2, weight = 10 }, \
                 { accelerators = 4, weight = 20 }, { accelerators = 8, weight = 25 }, \
                 { accelerators = 16, weight = 10 }, { accelerators = 32, weight = 5 }]",
                PHILLY,
            ),
            ("median", "\"3 h\"", PHILLY),
            ("sigma", "1.7", PHILLY),
            ("length_min", "\"1 min\"", PHILLY),
            ("length_max", "\"7 d\"", PHILLY),
            ("guess_max", "4", TSAFRIR),
            ("checkpoint", "\"none\"", GUESS),
            ("draw", "\"50 %\"", DRAW),
            ("peak_hour", "13", "assumption: the working day in Europe"),
            ("swing", "\"50 %\"", "assumption: the working day in Europe"),
        ],
    },
    Class {
        name: "data-preparation",
        figures: &[
            ("share", "\"3 %\"", ACME),
            (
                "sizes",
                "[{ accelerators = 8, weight = 4 }, { accelerators = 16, weight = 4 }, \
                 { accelerators = 32, weight = 2 }, { accelerators = 64, weight = 1 }]",
                GUESS,
            ),
            ("median", "\"4 h\"", GUESS),
            ("sigma", "1", GUESS),
            ("length_min", "\"5 min\"", GUESS),
            ("length_max", "\"2 d\"", GUESS),
            ("guess_max", "2.5", TSAFRIR),
            ("checkpoint", "\"30 min\"", GUESS),
            ("draw", "\"35 %\"", DRAW),
        ],
    },
    Class {
        name: "inference",
        figures: &[
            ("share", "\"10 %\"", "assumption: between a training cluster's none and a service's all"),
            (
                "sizes",
                "[{ accelerators = 4, weight = 5 }, { accelerators = 8, weight = 5 }, \
                 { accelerators = 16, weight = 3 }, { accelerators = 72, weight = 1 }]",
                "assumption: replicas of a node, a few nodes or a rack",
            ),
            ("median", "\"16 h\"", GUESS),
            ("sigma", "0.8", GUESS),
            ("length_min", "\"30 min\"", GUESS),
            ("length_max", "\"4 d\"", GUESS),
            ("guess_max", "1.5", TSAFRIR),
            ("checkpoint", "\"none\"", "replicas hold no progress"),
            ("draw", "\"55 %\"", DRAW),
            ("peak_hour", "14", "assumption: the European afternoon"),
            ("swing", "\"40 %\"", "assumption: demand moves with the day"),
        ],
    },
];
