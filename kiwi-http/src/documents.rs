//! The OpenAPI document, and a page to read it with. Both come from the routes themselves.

use crate::guard::audit::Actions;
use crate::guard::idempotency;
use crate::problem::ProblemBody;
use crate::{API, HttpState, routes};
use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Kiwi", description = "Delivers software: from a git repository to a running service, updated and rolled back with no request lost.", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")),
    components(schemas(ProblemBody)),
    security(("token" = []))
)]
struct Header;

/// The OpenAPI 3.1 document of every route below `/api/v1`.
pub fn openapi() -> OpenApi {
    assembled()
}

pub(crate) fn assembled() -> OpenApi {
    let api: OpenApiRouter<HttpState> = OpenApiRouter::with_openapi(Header::openapi()).nest(API, routes::protected().merge(routes::open()));
    let mut document = api.into_openapi();
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("kiwi_...").description(Some("An API token.")).build();
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    for (path, item) in &mut document.paths.paths {
        let methods = [(&mut item.get, None), (&mut item.post, Some(&IDEMPOTENCY_KEY)), (&mut item.put, Some(&IF_MATCH)), (&mut item.delete, Some(&IF_MATCH))];
        for (operation, header) in methods {
            let Some(operation) = operation else { continue };
            complete(operation, path.contains('{'), header.is_none());
            // Who has no token yet has no keys.
            if let Some(header) = header.filter(|_| !path.ends_with("/bootstrap")) {
                operation.parameters.get_or_insert_default().push(RefOr::T(header.parameter()));
            }
        }
    }
    document
}

/// A header that every operation of a method takes.
struct Taken {
    name: &'static str,
    description: &'static str,
    /// The rule of its value and how long it may be, where there is one.
    rule: Option<(&'static str, usize)>,
}

const IDEMPOTENCY_KEY: Taken = Taken {
    name: "Idempotency-Key",
    description: "A name of this request's own: sent again with it, and the same token, the request is done once and answered as before, for a day.",
    rule: Some(("^[!-~]+$", idempotency::LONGEST)),
};
const IF_MATCH: Taken =
    Taken { name: "If-Match", description: "The `ETag` of what was read: the change is made only while it is still so (RFC 9110, 13.1.1).", rule: None };

impl Taken {
    fn parameter(&self) -> Parameter {
        let mut schema = ObjectBuilder::new().schema_type(Type::String);
        if let Some((pattern, longest)) = self.rule {
            schema = schema.pattern(Some(pattern)).min_length(Some(1)).max_length(Some(longest));
        }
        let parameter = ParameterBuilder::new().name(self.name).parameter_in(ParameterIn::Header).required(Required::False);
        parameter.description(Some(self.description)).schema(Some(schema)).build()
    }
}

/// Adds the problems that any operation of its kind may answer with.
fn complete(operation: &mut Operation, names: bool, reads: bool) {
    let mut problems = vec![
        ("400", "A value breaks a rule."),
        ("401", "There is no token, or one that opens nothing."),
        ("403", "The role or the token does not allow this."),
        ("422", "What was named cannot be reached or used."),
        ("429", "Too many attempts failed."),
        ("500", "Kiwi or its database failed."),
        ("503", "Too much is being done, or the database is away."),
        ("504", "It took too long."),
    ];
    if names || reads {
        problems.push(("404", "It does not exist, or belongs to somebody else."));
    }
    if reads {
        problems.push(("304", "The client has it already."));
    } else {
        problems.extend([
            ("404", "Something that was named does not exist."),
            ("409", "The state of the thing does not allow it."),
            ("412", "It changed since it was read."),
        ]);
    }
    if operation.request_body.is_some() {
        problems.extend([("413", "The body is too large."), ("415", "The body is not JSON.")]);
    }
    for (status, description) in problems {
        let mut response = ResponseBuilder::new().description(description);
        if status != "304" {
            let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
            response = response.content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build());
        }
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response.build()));
    }
}

/// The document as text. What it is made of takes ten times the memory, for a moment: on a thread of its own, all of that is given back to the system,
/// where it would leave a server's heap full of holes for ever.
pub(crate) fn text() -> Bytes {
    let made = std::thread::spawn(|| assembled().to_json().unwrap_or_default());
    made.join().map(Bytes::from).unwrap_or_default()
}

/// What each route is called, for the audit log.
pub(crate) fn actions(document: &[u8]) -> Actions {
    #[derive(Deserialize)]
    struct Document {
        paths: BTreeMap<String, BTreeMap<String, Described>>,
    }
    #[derive(Deserialize)]
    struct Described {
        #[serde(rename = "operationId")]
        id: String,
    }
    let mut actions = BTreeMap::new();
    let paths = serde_json::from_slice::<Document>(document).map(|document| document.paths).unwrap_or_default();
    for (path, operations) in paths {
        for (method, operation) in operations.into_iter().filter(|(method, _)| method != "get") {
            actions.insert((method.to_ascii_uppercase(), path.clone()), operation.id);
        }
    }
    Arc::new(actions)
}

/// The document and the page. They say nothing that the source does not, so they need no token.
pub(crate) fn routes(document: Bytes) -> Router<HttpState> {
    let page = include_str!("documents.html");
    let policy = (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'");
    let json = (header::CONTENT_TYPE, "application/json");
    Router::new()
        .route(&format!("{API}/openapi.json"), get(async move || ([json], document.clone())))
        .route(&format!("{API}/docs"), get(async move || ([policy], Html(page))))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_document_is_what_the_routes_say() {
        let printed = super::openapi().to_pretty_json().unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
            std::fs::write(path, &printed).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap_or_default() == printed, "write it anew with KIWI_WRITE_DOCS=1");
    }
}
