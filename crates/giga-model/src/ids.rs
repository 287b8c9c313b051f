//! Typed indices: a number that can not be mistaken for another kind of number.

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident($int:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $int);

        impl $name {
            /// The place in a dense vector.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
            /// The id of a place in a dense vector.
            ///
            /// # Panics
            /// Panics when there are more than the id can count.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(<$int>::try_from(index).expect("more things of a kind than its id can count"))
            }
        }
    )+};
}

index! {
    /// A site, by its place in [`crate::Federation::sites`].
    SiteId(u16);
    /// A pool, by its place in [`crate::Federation::pools`].
    PoolId(u16);
    /// A phase of a site, by its place in [`crate::Site::phases`].
    PhaseId(u16);
    /// An owner, by its place in [`crate::Federation::owners`].
    OwnerId(u16);
    /// A programme, by its place in [`crate::Federation::programmes`].
    ProgrammeId(u16);
    /// A project, by its place in [`crate::Federation::projects`].
    ProjectId(u32);
    /// A kind of accelerator, by its place in [`crate::Federation::accelerators`].
    AcceleratorId(u16);
    /// A dataset, by its place in [`crate::Federation::datasets`].
    DatasetId(u16);
    /// A job, numbered in the order of submission from zero.
    JobId(u64);
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}
