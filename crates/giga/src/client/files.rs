//! `giga job files | get`: what a job left in its folder.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use giga_formats::api::{FileKind, FileList, FileView};
use giga_units::grouped;

use super::Refused;
use super::reach::Reach;
use super::server::{Server, encoded};

/// What `giga job files` was asked.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// The number of the job.
    id: u64,
    /// A folder below that of the job.
    #[arg(long, value_name = "DIR")]
    path: Option<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// What `giga job get` was asked.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The number of the job.
    id: u64,
    /// The file, from the folder of the job on.
    path: String,
    /// Where to put it; `-` prints it. Its own name here unless given, where nothing has that name.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// Lists files.
pub(super) fn list(call: &Files) -> Result<ExitCode, Refused> {
    let query = call.path.as_ref().map_or_else(String::new, |path| format!("?path={}", encoded(path)));
    let text = Server::open(&call.reach)?.get(&format!("/v1/jobs/{}/files{query}", call.id))?;
    call.reach.show(&text, |list: FileList| {
        if list.files.is_empty() {
            return "nothing lies there\n".to_owned();
        }
        let more = if list.more { "and more\n" } else { "" };
        list.files.iter().map(line).collect::<String>() + more
    })
}

fn line(file: &FileView) -> String {
    // A name is the job's choice: nothing of it may speak to a terminal.
    let name: String = file.name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let (size, sign) = match file.kind {
        FileKind::File => (file.size_bytes.map_or_else(String::new, grouped), ""),
        FileKind::Folder => ("folder".to_owned(), "/"),
        FileKind::Link => ("link".to_owned(), ""),
        FileKind::Other => ("other".to_owned(), ""),
    };
    format!("{size:>19}  {name}{sign}\n")
}

/// Fetches a file.
pub(super) fn get(call: &Get) -> Result<ExitCode, Refused> {
    let printed = call.out.as_deref() == Some(Path::new("-"));
    let target = match &call.out {
        Some(path) => path.clone(),
        None => {
            let name = Path::new(&call.path).file_name();
            let name =
                name.ok_or_else(|| Refused::input("the path names no file; `giga job files` lists them"))?;
            let path = PathBuf::from(name);
            if path.symlink_metadata().is_ok() {
                let path = path.display();
                return Err(Refused::input(format_args!(
                    "`{path}` is here already; say where to with `-o FILE`"
                )));
            }
            path
        }
    };
    let place = format!("/v1/jobs/{}/files/{}", call.id, encoded(&call.path));
    let mut bytes = Server::open(&call.reach)?.bytes(&place)?;
    if printed {
        let mut out = std::io::stdout().lock();
        std::io::copy(&mut bytes, &mut out)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut aside = target.clone().into_os_string();
    aside.push(format!(".{}.part", std::process::id()));
    // It gets its name once all of it is here.
    let made = File::create_new(&aside)
        .map_err(|fault| anyhow::Error::new(fault).context(format!("`{}`", Path::new(&aside).display())))?;
    let written = Ok(made).and_then(|mut file| std::io::copy(&mut bytes, &mut file));
    let length = match written.and_then(|length| std::fs::rename(&aside, &target).map(|()| length)) {
        Ok(length) => length,
        Err(fault) => {
            drop(std::fs::remove_file(&aside));
            return Err(anyhow::Error::new(fault).context(format!("`{}`", target.display())).into());
        }
    };
    if !call.reach.json {
        eprintln!("{} bytes in `{}`", grouped(length), target.display());
    }
    Ok(ExitCode::SUCCESS)
}
