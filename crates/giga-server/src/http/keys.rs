//! Keys over HTTP: only operators make and revoke them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use giga_formats::api::{ALL_PROJECTS, FieldFault, KeyBody, KeyList, KeyView, Role, Stamp};
use giga_store::Key;

use super::App;
use super::key::{Caller, digest, token};
use super::problem::{Answer, Refusal};
use crate::live::core::clock;

/// Makes a key. Its token is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/keys", operation_id = "create_key", tag = "keys", request_body = KeyBody, responses(
    (status = 201, body = KeyView, description = "the key with its token"),
))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer<(StatusCode, Json<KeyView>)> {
    caller.must_operate()?;
    let fault = |error| Refusal::unreadable(format!("the body is no key: {error}"));
    let body: KeyBody = serde_json::from_slice(&body).map_err(fault)?;
    check(&app, &body)?;
    let token = token().map_err(|_| Refusal::unavailable())?;
    let key = Key { name: body.name, role: body.role, projects: body.projects, created: clock() };
    if !app.store.add_key(&key, &digest(&token))? {
        return Err(Refusal::name_taken(&key.name));
    }
    tracing::info!(key = key.name, role = key.role.word(), by = caller.name(), "a key is made");
    Ok((StatusCode::CREATED, Json(view(key, Some(token)))))
}

fn check(app: &App, body: &KeyBody) -> Answer<()> {
    let mut faults = Vec::new();
    let plain = |char: char| char.is_ascii_alphanumeric() || "._-@".contains(char);
    if body.name.is_empty() || body.name.len() > 64 || !body.name.chars().all(plain) {
        faults.push(FieldFault {
            field: "name".into(),
            message: format!("`{}` is no name for a key", body.name),
            help: "write 1 to 64 letters, digits, `.`, `_`, `-` or `@`".into(),
        });
    }
    if body.role == Role::User && body.projects.is_empty() {
        faults.push(FieldFault {
            field: "projects".into(),
            message: "a user's key says which projects it may charge".into(),
            help: "name a project of the description, or write `*` for all of them".into(),
        });
    }
    if body.role == Role::Metrics && !body.projects.is_empty() {
        faults.push(FieldFault {
            field: "projects".into(),
            message: "a key of the role `metrics` charges no project".into(),
            help: "leave `projects` out".into(),
        });
    }
    let known = |name: &String| {
        *name == ALL_PROJECTS || app.federation.projects.iter().any(|project| project.name == *name)
    };
    for (place, name) in body.projects.iter().enumerate().filter(|(_, name)| !known(name)) {
        faults.push(FieldFault {
            field: format!("projects[{place}]"),
            message: format!("there is no project `{name}`"),
            help: "name a project of the description, or write `*` for all of them".into(),
        });
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::faulty("key", faults)) }
}

/// All keys, without their tokens.
#[utoipa::path(get, path = "/v1/keys", operation_id = "list_keys", tag = "keys", responses(
    (status = 200, body = KeyList, description = "all keys"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<KeyList>> {
    caller.must_operate()?;
    let keys = app.store.keys()?.into_iter().map(|key| view(key, None)).collect();
    Ok(Json(KeyList { keys }))
}

/// Revokes a key: its token opens nothing from here on. Jobs that came with it stay.
#[utoipa::path(delete, path = "/v1/keys/{name}", operation_id = "revoke_key", tag = "keys", params(("name" = String, Path)), responses(
    (status = 204, description = "it opens nothing any more"),
))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    caller.must_operate()?;
    if caller.name() == name {
        return Err(Refusal::forbidden("a key can not revoke itself; use another operator's key"));
    }
    let removed = app.store.remove_key(&name)?;
    app.keys.forget(&name);
    if removed {
        tracing::info!(key = name, by = caller.name(), "a key is revoked");
    }
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::unknown("key", &name)) }
}

fn view(key: Key, token: Option<String>) -> KeyView {
    KeyView { name: key.name, role: key.role, projects: key.projects, created: Stamp(key.created), token }
}
