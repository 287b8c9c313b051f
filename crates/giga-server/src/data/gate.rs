//! Whether the data of a job is at its site: its program starts only once it is, and finds where.

use std::collections::BTreeMap;
use std::path::Path;

use giga_model::{Dataset, JobId, SiteId};
use giga_store::{StoreError, TaskKind, TaskState};

use super::{Data, Declined};

/// Whether a job may begin, as far as its data goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may, with these variables.
    Open(BTreeMap<String, String>),
    /// Something is on its way there.
    Wait,
    /// It can not, and this is why.
    Never(String),
}

/// What the variables begin with.
const PREFIX: &str = "GIGA_DATA_";

impl Data {
    /// Whether the data of a job is at a site. What is missing and may be copied is brought there from this call on.
    ///
    /// A dataset of which nothing is registered is not asked for: it stands in the description only, and the job has ways of its
    /// own to it.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub(crate) fn gate(&self, site: SiteId, job: JobId, names: &[String]) -> Result<Gate, StoreError> {
        self.gate_by(site, &format!("job {}, at its start", job.0), names)
    }

    /// Begins to bring what a waiting job reads. That this fails says nothing of how it goes once the job may start.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub(crate) fn bring(&self, site: SiteId, job: JobId, names: &[String]) -> Result<(), StoreError> {
        self.gate_by(site, &format!("job {}", job.0), names).map(drop)
    }

    fn gate_by(&self, site: SiteId, by: &str, names: &[String]) -> Result<Gate, StoreError> {
        let (mut variables, mut waits) = (BTreeMap::new(), false);
        for name in names {
            let Some(data) = self.federation.datasets.iter().find(|data| data.name == *name) else {
                continue;
            };
            if self.store.content(name)?.is_none() {
                continue;
            }
            match self.look(data, site, by)? {
                Look::There(folder) => {
                    if variables.insert(variable(name), folder).is_some() {
                        return Ok(Gate::Never(format!(
                            "two of its datasets would share the variable `{}`; read them in jobs of their own",
                            variable(name)
                        )));
                    }
                }
                Look::OnItsWay => waits = true,
                Look::Never(why) => return Ok(Gate::Never(why)),
            }
        }
        Ok(if waits { Gate::Wait } else { Gate::Open(variables) })
    }

    /// What a user should know of the data of a job that would run at a site, a sentence each.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub(crate) fn notes(&self, id: SiteId, names: &[String]) -> Result<Vec<String>, StoreError> {
        let (mut notes, site) = (Vec::new(), self.site_name(id));
        for name in names {
            if self.store.content(name)?.is_none() {
                let variable = variable(name);
                notes.push(format!(
                    "nothing is registered of data `{name}`, so `{variable}` is not set for it"
                ));
            } else if !self.store.copies_of(name)?.iter().any(|copy| copy.site == site && self.lies(copy)) {
                notes.push(format!(
                    "data `{name}` is copied to {site} first; the job holds its place until it is there"
                ));
            }
        }
        Ok(notes)
    }

    /// What of the data of a job is on its way to its site, a sentence each.
    pub(crate) fn on_its_way(&self, site: &str, names: &[String]) -> Vec<String> {
        let line = self.line();
        let open = |name: &String| {
            let mut open = line.waiting.iter().chain(line.running.iter().map(|(task, _)| task));
            open.any(|task| task.kind == TaskKind::Stage && task.dataset == *name && task.site == site)
        };
        let coming = names.iter().filter(|name| open(name));
        coming
            .map(|name| {
                format!("data `{name}` is being copied to {site}, and its program starts once all of that is there")
            })
            .collect()
    }

    fn look(&self, data: &Dataset, id: SiteId, by: &str) -> Result<Look, StoreError> {
        let (name, site) = (&data.name, &self.federation.sites[id.index()]);
        // The core placed it by the same rule; here nothing is handed out where that should ever fail.
        if let Some(part) = data.reading_forbidden(id, site.country, site.assurance) {
            return Ok(Look::Never(format!(
                "data `{name}` {}",
                super::why(&self.federation, data, site, part)
            )));
        }
        let copies = self.store.copies_of(name)?;
        // One whose folder was taken away is missing, and may be brought again.
        if let Some(copy) = copies.iter().find(|copy| copy.site == site.name && self.lies(copy)) {
            let folder = self.folder(id, name, &copy.path);
            let text = folder.as_deref().and_then(Path::to_str).map(str::to_owned);
            return Ok(match text.filter(|_| copy.sound) {
                Some(folder) => Look::There(folder),
                None => Look::Never(format!(
                    "data `{name}` at site `{}` is not what is registered: {}; put it right and run \
                     `giga dataset add {name} --at {}`",
                    site.name,
                    copy.said.as_deref().unwrap_or("it differs"),
                    site.name
                )),
            });
        }
        if self.is_busy(name, &site.name) {
            return Ok(Look::OnItsWay);
        }
        if let Some(task) =
            self.store.task_by(name, &site.name, by)?.filter(|task| task.state == TaskState::Failed)
        {
            let said = task.said.unwrap_or_default();
            return Ok(Look::Never(format!(
                "data `{name}` could not be brought to site `{}`: {said}",
                site.name
            )));
        }
        match self.stage(data, id, by) {
            // What is there by now is found by the next look.
            Ok(_) | Err(Declined::Busy { .. }) => Ok(Look::OnItsWay),
            Err(Declined::Store(error)) => Err(error),
            Err(declined) => Ok(Look::Never(match copies.iter().find_map(|copy| copy.said.as_ref()) {
                // What is wrong with the copies that there are says more than that none is sound.
                Some(said) if matches!(declined, Declined::NoCopy { .. }) => {
                    format!("data `{name}` could not be brought to site `{}`: {said}", site.name)
                }
                _ => format!(
                    "data `{name}` is not at site `{}`, or not registered there: {declined}",
                    site.name
                ),
            })),
        }
    }
}

/// Where one dataset of a job is.
enum Look {
    There(String),
    OnItsWay,
    Never(String),
}

/// The variable that holds where a dataset lies: letters and digits of its name, and `_` for all else.
pub(crate) fn variable(name: &str) -> String {
    let sign = |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_uppercase() } else { '_' };
    PREFIX.chars().chain(name.chars().map(sign)).collect()
}
