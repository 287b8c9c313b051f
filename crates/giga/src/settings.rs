//! What is set outside of a call. What stands in the call comes first, then a variable of the environment, then the file of
//! settings, then the default.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use giga_formats::settings::{self as formats, Setting};

/// What is set. Nothing, until it is opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    file: Arc<formats::Settings>,
}

impl Settings {
    /// Reads the file that is named, by the call or by `GIGA_CONFIG`, else `giga/giga.toml` in the user's folder of settings where
    /// there is one; and looks at every variable.
    ///
    /// # Errors
    /// Says what can not be read, where, and what would do; a line or more without an end.
    pub(crate) fn open(named: Option<&Path>) -> Result<Self, String> {
        for setting in formats::ALL {
            let (name, word) = (setting.variable, variable(setting.variable).unwrap_or_default());
            if let (false, Err(fault)) = (word.is_empty(), setting.check(word.trim())) {
                return Err(format!("giga: `{name}`: {fault}\n  help: {}", fault.help()));
            }
        }
        let named = named.map(Path::to_path_buf).or_else(|| variable("GIGA_CONFIG").map(PathBuf::from));
        let Some(path) = named.clone().or_else(usual) else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let read = formats::Settings::read(&path.display().to_string(), &text);
                let file = read.map_err(|faults| faults.to_string().trim_end().to_owned())?;
                Ok(Self { file: Arc::new(file) })
            }
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(Self::default()),
            Err(error) => {
                let path = path.display();
                Err(format!(
                    "giga: the settings in `{path}` can not be read: {error}\n  help: name another file with `--config`"
                ))
            }
        }
    }

    /// What the environment or the file says.
    pub(crate) fn text(&self, setting: &Setting) -> Option<String> {
        Self::variable(setting).or_else(|| self.file(setting))
    }

    /// What the environment says.
    pub(crate) fn variable(setting: &Setting) -> Option<String> {
        variable(setting.variable).map(|word| word.trim().to_owned())
    }

    /// What the file says.
    pub(crate) fn file(&self, setting: &Setting) -> Option<String> {
        self.file.get(setting).map(str::to_owned)
    }

    /// Whether something is set to `true`.
    pub(crate) fn flag(&self, setting: &Setting) -> bool {
        self.text(setting).is_some_and(|word| word == "true")
    }
}

/// What a variable holds, where it holds anything.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Where settings are kept; what is not absolute there does not count (XDG Base Directory Specification).
fn usual() -> Option<PathBuf> {
    let set = |name: &str| variable(name).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("giga").join("giga.toml"))
}
