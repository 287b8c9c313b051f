//! What carries decisions out at a site, and how it is reached.

/// What carries decisions out at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// Processes of the machine that the server runs on; its accelerators are virtual.
    Local,
    /// The same on the NVIDIA devices of that machine.
    LocalNvidia,
    /// Jobs of a Slurm cluster.
    Slurm,
}

/// How the Slurm of a site is reached, and what of it is lent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmAccess {
    /// What it lets us do.
    pub mode: SlurmMode,
    /// The partition that jobs are submitted to.
    pub partition: String,
    /// Pools with a partition of their own, or told apart by features of nodes: name, partition, features.
    pub pools: Vec<(String, Option<String>, Option<String>)>,
    /// What Slurm calls its accelerators; empty where it does not count them.
    pub gres: String,
    /// The configuration file that chooses the cluster, or `None` for the one of this machine.
    pub conf: Option<String>,
    /// The address of its REST service, or `None` where its commands are used.
    pub rest: Option<String>,
    /// The file with the key that signs tokens for that service.
    pub jwt_key: Option<String>,
    /// Whose jobs they are there, or `None` for the user of the server.
    pub user: Option<String>,
    /// The account that is charged there, if one must be named.
    pub account: Option<String>,
    /// The quality of service, if one must be named.
    pub qos: Option<String>,
    /// The reservation that is lent, if one is.
    pub reservation: Option<String>,
    /// A folder that the nodes see under the same path, or `None` for the server's data folder.
    pub folder: Option<String>,
    /// Where the nodes find this program, or `None` where a copy in that folder serves.
    pub program: Option<String>,
}

/// What a Slurm lets us do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlurmMode {
    /// Nobody else submits where we do: what is decided here starts at once, on the nodes that were decided.
    #[default]
    Owned,
    /// Others submit there too, and Slurm decides when work begins and on which nodes: what is decided here is a forecast.
    Guest,
    /// Nothing is submitted; it is only looked at.
    Observe,
}

impl SlurmMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Owned, Self::Guest, Self::Observe];

    /// The word for it in a description.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Guest => "guest",
            Self::Observe => "observe",
        }
    }

    /// The mode of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// What runs containers at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerRuntime {
    /// Apptainer, from files, folders and references.
    Apptainer,
    /// Charliecloud, from folders.
    Charliecloud,
}

impl ContainerRuntime {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Apptainer, Self::Charliecloud];

    /// The word for it in a description.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Apptainer => "apptainer",
            Self::Charliecloud => "charliecloud",
        }
    }
    /// The runtime of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|runtime| runtime.word() == word)
    }
    /// The program that runs it.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Apptainer => "apptainer",
            Self::Charliecloud => "ch-run",
        }
    }
}

impl EngineKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Local, Self::LocalNvidia, Self::Slurm];

    /// The word for it in a description.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::LocalNvidia => "local-nvidia",
            Self::Slurm => "slurm",
        }
    }
    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
