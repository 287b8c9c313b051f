//! What every route has in common, as the OpenAPI document says it: a token goes in, and a refusal is a problem.

use giga_formats::api::{FieldFault, PROBLEM_JSON, Problem, SiteEvent, SiteEventKind};
use utoipa::PartialSchema as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

/// Adds it.
pub(super) fn complete(document: &mut OpenApi) {
    let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", scheme);
    components.schemas.insert("Problem".into(), Problem::schema());
    components.schemas.insert("FieldFault".into(), FieldFault::schema());
    // The other body of the stream of events, which has one kind of content only.
    components.schemas.insert("SiteEvent".into(), SiteEvent::schema());
    components.schemas.insert("SiteEventKind".into(), SiteEventKind::schema());
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    for path in document.paths.paths.values_mut() {
        let verbs = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete, &mut path.patch];
        verbs.into_iter().flatten().for_each(may_refuse);
    }
}

fn may_refuse(operation: &mut Operation) {
    let refusals = [
        ("4XX", "refused, with the reason and the way out"),
        (
            "5XX",
            "not answered; what was asked for may have been taken: send it again with the same Idempotency-Key",
        ),
    ];
    for (status, description) in refusals {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build();
        operation.responses.responses.insert(status.to_owned(), RefOr::T(response));
    }
}
