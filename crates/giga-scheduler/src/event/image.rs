//! The images of inputs and events. A number stands for its variant for good: records of the journal last.

use giga_model::image;

use super::{Ending, Event, Input, Interruption, Pace, Piece, Rule};

image! { struct Piece { word, mask } }
image! { enum Ending { 0 => Completed, 1 => TimedOut, 2 => Cancelled, 3 => Failed } }
image! { enum Interruption { 0 => Failure, 1 => Maintenance, 2 => Lost, 3 => Recalled, 4 => Grid, 5 => Grown } }
image! { enum Pace { 0 => Full, 1 => Capped { power, speed }, 2 => Suspended } }
image! {
    enum Input {
        0 => Submit { request },
        1 => Finished { job, attempt, ending, at },
        2 => Lost { job, attempt },
        3 => Cancel { job },
        4 => NodeFailed { pool, node, until },
        5 => NodeRepaired { pool, node },
        6 => PhaseOpens { site },
        7 => MaintenanceBegins { site },
        8 => MaintenanceEnds { site },
        9 => HalveUse,
        10 => TurnYear,
        11 => Schedule,
        12 => LimitFalls { site, power, until },
        13 => LimitEnds { site },
        14 => Drain { site },
        15 => Undrain { site },
        16 => HourTurns,
        17 => Silent { site },
        18 => Heard { site },
        19 => Begun { job, attempt, at },
        20 => LimitFollows { site, power, until },
    }
}
image! {
    enum Event {
        0 => Submitted { job, site, request },
        1 => Refused { job, request, rule },
        2 => Kept { site, job },
        3 => Started { job, attempt, need, pieces, release },
        4 => Stopping { job },
        5 => Ended { job, ending, at },
        6 => Interrupted { job, cause, saved },
        7 => NodeDown { pool, node, until },
        8 => NodeUp { pool, node },
        9 => PhaseOpened { site, phase },
        10 => Closed { site, until },
        11 => Opened { site },
        12 => UseHalved,
        13 => YearTurned,
        14 => Settled,
        15 => Leaving { job, cause, by },
        16 => Claimed { job, need, by },
        17 => Unclaimed { job },
        18 => Paced { job, pace, release },
        19 => Limited { site, power, until },
        20 => Unlimited { site },
        21 => Short { site, missing },
        22 => Drained { site },
        23 => Undrained { site },
        24 => Deferred { job, until },
        25 => Due { job },
        26 => Rebound { job, site, saves },
        27 => Silenced { site },
        28 => Heard { site },
        29 => Begun { job, at, release },
        30 => Housed { site, overhead },
        31 => Following { site, power, until },
    }
}
image! {
    enum Rule {
        0 => UnknownProject,
        1 => NothingAsked,
        2 => NoSuchAccelerator,
        3 => GangAboveProgramme { most },
        4 => LimitAboveProgramme { longest },
        5 => GangTooLarge { largest },
        6 => PowerTooLarge { headroom },
        7 => LongerThanBetweenWindows { longest },
        8 => UnknownDataset,
        9 => LeavingForbidden { dataset },
        10 => AssuranceTooLow { needed },
        11 => DataForbids { dataset },
        12 => DeadlineTooClose,
        13 => AboveFloor { floor },
        14 => PredecessorOver { job },
        15 => NoContainers,
    }
}
