//! What a job left in its folder: a list, and files as they are.
//!
//! Whoever may read the output of a job may read its files, with one rule more: of a job that reads data and was submitted with
//! nothing of that leaving the site, no file leaves it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State, rejection::QueryRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use futures_util::stream;
use giga_engine::{Entry, EntryKind, JobFolder};
use giga_formats::api::{FileKind, FileList, FileView, FilesQuery};
use giga_formats::job::JobBody;
use giga_model::Leaving;
use giga_store::JobRow;

use super::App;
use super::jobs::find;
use super::key::Caller;
use super::logs::site;
use super::problem::{Answer, Refusal};

/// Most names of one list.
const NAMES: usize = 10_000;
/// How much of a file is read at once.
const PIECE: u64 = 256 << 10;

/// What lies in the folder of a job, or in one below it.
#[utoipa::path(get, path = "/v1/jobs/{id}/files", tag = "jobs", params(("id" = u64, Path), FilesQuery),
    responses((status = 200, body = FileList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Result<Query<FilesQuery>, QueryRejection>,
) -> Answer<Json<FileList>> {
    let query = query.map_err(|error| Refusal::unreadable(error.body_text()))?.0;
    let row = find(&app, &caller, &id)?;
    let path = query.path.unwrap_or_default();
    let named = path.clone();
    let look =
        move || folder(&app, &row)?.list(FilePath::new(&named), NAMES).map_err(|fault| told(&named, &fault));
    let (entries, more) = super::blocking(look).await??;
    Ok(Json(FileList { path, files: entries.into_iter().map(view).collect(), more }))
}

/// One file of a job, as it is: as long as it was when it was opened. Slashes in its path may be written as `%2F` or as they are.
#[utoipa::path(get, path = "/v1/jobs/{id}/files/{path}", tag = "jobs",
    params(("id" = u64, Path), ("path" = String, Path, description = "from the folder of the job on")),
    responses((status = 200, description = "the bytes of the file", body = Vec<u8>, content_type = "application/octet-stream")))]
pub(crate) async fn fetch(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((id, path)): Path<(String, String)>,
) -> Answer<Response> {
    send(app, caller, id, path).await
}

/// The same where the path has slashes.
pub(crate) async fn fetch_below(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((id, path, rest)): Path<(String, String, String)>,
) -> Answer<Response> {
    send(app, caller, id, format!("{path}/{rest}")).await
}

async fn send(app: Arc<App>, caller: Caller, id: String, path: String) -> Answer<Response> {
    let row = find(&app, &caller, &id)?;
    let open = move || folder(&app, &row)?.file(FilePath::new(&path)).map_err(|fault| told(&path, &fault));
    let (file, length) = super::blocking(open).await??;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, body(Arc::new(file), length)).into_response())
}

/// A file as a body, read as it is sent. One that got shorter breaks off, so that it is not taken for whole.
fn body(file: Arc<File>, length: u64) -> Body {
    Body::from_stream(stream::try_unfold(0, move |at: u64| {
        let file = Arc::clone(&file);
        async move {
            if at >= length {
                return Ok(None);
            }
            let read = move || {
                let mut bytes = vec![0; usize::try_from((length - at).min(PIECE)).unwrap_or(0)];
                file.read_exact_at(&mut bytes, at).map(|()| bytes)
            };
            let bytes = tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)??;
            let next = at + bytes.len() as u64;
            Ok::<_, std::io::Error>(Some((Bytes::from(bytes), next)))
        }
    }))
}

/// The folder of a job, where its files may be seen from here.
fn folder(app: &App, row: &JobRow) -> Answer<JobFolder> {
    let job = row.job.0;
    let body = app.store.body(row.job)?;
    let body: Option<JobBody> = body.and_then(|body| serde_json::from_str(&body).ok());
    let spec = body.and_then(|body| body.check().ok());
    let Some(spec) = spec else {
        return Err(refused(StatusCode::CONFLICT, "what it runs can not be read from the store".into()));
    };
    if !spec.data.is_empty() && spec.leaving == Leaving::Nothing {
        let detail = format!(
            "job {job} reads data, and was submitted with nothing of it leaving the site; look at its files there, or submit it with \
             `leaving`, as far as the holders of the data allow it"
        );
        return Err(refused(StatusCode::FORBIDDEN, detail));
    }
    if let Some(folder) = spec.workdir {
        let detail = format!(
            "job {job} runs in `{}` at its site; only files of a job's own folder are supported",
            folder.display()
        );
        return Err(refused(StatusCode::CONFLICT, detail));
    }
    let engine = site(app, row).and_then(|site| app.engines.get(&site));
    let found = engine.map(|engine| engine.folder(row.job)).transpose();
    let found = found.map_err(|error| Refusal::engine(error.to_string()))?.flatten();
    found
        .ok_or_else(|| refused(StatusCode::NOT_FOUND, format!("job {job} has not begun, so it has no files")))
}

fn refused(status: StatusCode, detail: String) -> Refusal {
    Refusal::data(status, "no-files", "The files of the job can not be had", detail)
}

fn told(path: &str, fault: &std::io::Error) -> Refusal {
    let status = match fault.kind() {
        std::io::ErrorKind::NotFound => StatusCode::NOT_FOUND,
        std::io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::CONFLICT,
    };
    let path: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
    Refusal::data(
        status,
        "no-file",
        "The file can not be had",
        format!("`{path}`: {fault}; `giga job files` lists what there is"),
    )
}

fn view(entry: Entry) -> FileView {
    let kind = match entry.kind {
        EntryKind::File => FileKind::File,
        EntryKind::Folder => FileKind::Folder,
        EntryKind::Link => FileKind::Link,
        EntryKind::Other => FileKind::Other,
    };
    let size_bytes = (kind == FileKind::File).then(|| entry.size.as_bytes());
    FileView { name: entry.name, kind, size_bytes }
}
