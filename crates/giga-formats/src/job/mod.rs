//! Work as a user writes it down: the job file, and the body of a submission, which has the same keys.
//!
//! [`JobBody`] is what was written, [`JobSpec`] what was checked. A file is held against the keys here, with places
//! ([`read`]); a body that came by HTTP has no places ([`JobBody::check`]). Both pass the same checks. Nothing here knows
//! a federation: whether a project or an accelerator exists is for others to say.

mod body;
mod check;
mod file;
mod sent;
mod spec;
mod terms;
#[cfg(test)]
mod tests;

pub use body::{AcceleratorsBody, JobBody, ResourcesBody, RunBody};
pub use check::FieldFault;
pub use file::{JobFile, read};
pub use sent::{FileBody, FileParts, SENT_MAX};
pub use spec::{ArraySpec, AskSpec, Deadline, JobSpec};
