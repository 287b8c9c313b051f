//! What a reader of descriptions may be given beside the text: further files, and shocks to apply.

/// Opens a further file by the path that a description names; an error says in words why it can not.
pub type Open<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// What goes with the text of a description. This crate opens no files itself.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// Gives the text of a further file. Paths count from the folder of the description, by custom.
    pub open: &'a Open<'a>,
    /// Shocks that happen, by name, beside those that the description lists in `shocked`.
    pub shocks: &'a [&'a str],
}

impl Beside<'static> {
    /// No further files, no further shocks.
    pub const NOTHING: Self = Self { open: &no_file, shocks: &[] };
}

impl std::fmt::Debug for Beside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside").field("shocks", &self.shocks).finish_non_exhaustive()
    }
}

fn no_file(_: &str) -> Result<String, String> {
    Err("a description without a folder has no further files".to_owned())
}
