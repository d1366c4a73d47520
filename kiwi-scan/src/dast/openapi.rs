//! OpenAPI 3 (<https://spec.openapis.org/oas/v3.1.0>): the addresses of its GET operations, with harmless values.

use super::frontier::is_changing;
use kiwi_core::error::{Error, Result};
use serde_json::Value;
use url::Url;

/// Larger documents are not read.
pub(super) const LARGEST: usize = 8 << 20;
/// No more operations are asked, and no more parameters of one filled: a reference can name many in few bytes.
const MOST_OPERATIONS: usize = 5000;
const MOST_PARAMETERS: usize = 50;
/// How often a reference may lead to another one.
const MOST_STEPS: usize = 8;
/// What a text is, when nothing says more.
const TEXT: &str = "kiwi";

/// What a document promises.
#[derive(Debug, Default)]
pub(super) struct Operations {
    /// GET operations that can be asked.
    pub(super) urls: Vec<Url>,
    /// Operations of other methods, which are never asked.
    pub(super) changing: usize,
    /// GET operations that cannot be asked, and why.
    pub(super) left_out: Vec<(String, &'static str)>,
}

/// Reads a document as JSON or YAML. Its operations are asked at `base`, whichever servers it names; of these only the path counts.
///
/// Errors: `InvalidInput` for what is no OpenAPI 3.
pub(super) fn read(base: &Url, text: &str) -> Result<Operations> {
    let refuse = |why: &str| Error::invalid("read OpenAPI", why.to_owned()).with_hint("give an OpenAPI 3 document in JSON or YAML");
    if text.len() > LARGEST {
        return Err(refuse("the document is larger than 8 MiB"));
    }
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(_) => crate::yaml::read(text).map_err(|error| refuse("the document is neither JSON nor YAML").with_source(error))?,
    };
    if !document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")) {
        return Err(refuse(if document["swagger"].is_string() { "the document is Swagger 2; only OpenAPI 3 is read" } else { "the document is no OpenAPI 3" }));
    }
    let mut operations = Operations::default();
    let root = server(base, &document["servers"]);
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let item = resolve(&document, item);
        operations.changing += ["post", "put", "patch", "delete"].iter().filter(|method| item[**method].is_object()).count();
        if !item["get"].is_object() {
            continue;
        }
        if operations.urls.len() >= MOST_OPERATIONS {
            operations.left_out.push((path.clone(), "there are too many"));
            continue;
        }
        match address(&document, &root, path, item) {
            Ok(url) => operations.urls.push(url),
            Err(reason) => operations.left_out.push((path.clone(), reason)),
        }
    }
    Ok(operations)
}

/// The first server's path, on the origin that was named.
fn server(base: &Url, servers: &Value) -> Url {
    let given = &servers[0];
    let mut text = given["url"].as_str().unwrap_or("/").to_owned();
    for (name, variable) in given["variables"].as_object().into_iter().flatten() {
        text = text.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
    }
    let mut root = base.clone();
    root.set_query(None);
    root.set_fragment(None);
    let path = base.join(&text).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
    root.set_path(&path);
    root
}

fn address(document: &Value, root: &Url, path: &str, item: &Value) -> Result<Url, &'static str> {
    let operation = &item["get"];
    if is_changing(path) || operation["operationId"].as_str().is_some_and(is_changing) {
        return Err("its name says that it changes something");
    }
    let lists = [&operation["parameters"], &item["parameters"]];
    let parameters: Vec<&Value> =
        lists.into_iter().filter_map(Value::as_array).flatten().take(MOST_PARAMETERS).map(|parameter| resolve(document, parameter)).collect();
    let (mut filled, mut query) = (path.to_owned(), Vec::<(&str, String)>::new());
    for parameter in parameters {
        let Some(name) = parameter["name"].as_str() else { continue };
        match parameter["in"].as_str() {
            Some("path") => filled = filled.replace(&format!("{{{name}}}"), &segment(&value(document, parameter))),
            // An operation's own parameter comes before its path's.
            Some("query") if !query.iter().any(|(known, _)| *known == name) => query.push((name, value(document, parameter))),
            _ => {}
        }
    }
    if filled.contains(['{', '}']) {
        return Err("a parameter of its path is not described");
    }
    let mut url = root.clone();
    url.set_path(&format!("{}/{}", root.path().trim_end_matches('/'), filled.trim_start_matches('/')));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// What a local reference points to; anything else is itself.
fn resolve<'d>(document: &'d Value, mut value: &'d Value) -> &'d Value {
    for _ in 0..MOST_STEPS {
        let Some(target) = value["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?)) else { break };
        value = target;
    }
    value
}

/// The document's own example, else one of the right kind.
fn value(document: &Value, parameter: &Value) -> String {
    let schema = resolve(document, &parameter["schema"]);
    let named = parameter["examples"].as_object().and_then(|examples| examples.values().next()).map(|example| &resolve(document, example)["value"]);
    let given = [&parameter["example"], named.unwrap_or(&Value::Null), &schema["example"], &schema["examples"][0], &schema["default"], &schema["enum"][0]];
    given.into_iter().find_map(plain).unwrap_or_else(|| made(document, schema, 0))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Array(items) => items.first().and_then(plain),
        _ => None,
    }
}

fn made(document: &Value, schema: &Value, steps: usize) -> String {
    // Since 3.1 a type may be a list.
    let kind = schema["type"].as_str().or_else(|| schema["type"].as_array()?.iter().filter_map(Value::as_str).find(|kind| *kind != "null"));
    match (kind, schema["format"].as_str()) {
        (Some("integer" | "number"), _) => plain(&schema["minimum"]).unwrap_or_else(|| "1".to_owned()),
        (Some("boolean"), _) => "true".to_owned(),
        (Some("array"), _) if steps < MOST_STEPS => made(document, resolve(document, &schema["items"]), steps + 1),
        (_, Some("uuid")) => "00000000-0000-4000-8000-000000000000".to_owned(),
        (_, Some("date")) => "2024-01-31".to_owned(),
        (_, Some("date-time")) => "2024-01-31T12:00:00Z".to_owned(),
        // Nobody's, so that nothing is sent to anybody.
        (_, Some("email")) => "kiwi@example.invalid".to_owned(),
        _ => {
            let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(0).min(200);
            TEXT.chars().cycle().take(least.max(TEXT.len())).collect()
        }
    }
}

fn segment(value: &str) -> String {
    let text: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    // Nothing, or dots alone, would be another path.
    if text.trim_matches('.').is_empty() { TEXT.to_owned() } else { text.replace('+', "%20") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        read(&"http://h:8080/start".parse().unwrap(), text).unwrap().urls.iter().map(Url::to_string).collect()
    }

    #[test]
    fn a_large_document_of_yaml_is_read() {
        let list = "- 1\n".repeat(400_000);
        assert_eq!(urls(&format!("openapi: 3.1.0\npaths: {{ /a: {{ get: {{}} }} }}\nx-list:\n{list}")).len(), 1);
    }

    #[test]
    fn get_operations_are_asked_with_values_that_fit() {
        let yaml = "
openapi: 3.1.0
servers: [{ url: 'https://elsewhere.test/{v}', variables: { v: { default: v2 } } }]
paths:
  /items/{id}:
    parameters: [{ $ref: '#/components/parameters/Id' }]
    get:
      parameters:
        - { name: sort, in: query, schema: { type: string, enum: [up, down] } }
        - { name: ids, in: query, schema: { type: array, items: { type: integer, minimum: 7 } } }
        - { name: X-Trace, in: header, schema: { type: string } }
    delete: {}
  /file/{name}:
    get: { parameters: [{ name: name, in: path, example: '../..' }] }
  /session/logout: { get: {} }
  /gone/{what}: { get: {} }
components: { parameters: { Id: { name: id, in: path, schema: { type: string, format: uuid } } } }
";
        assert_eq!(urls(yaml), ["http://h:8080/v2/file/..%2F..", "http://h:8080/v2/items/00000000-0000-4000-8000-000000000000?sort=up&ids=7",]);
        let operations = read(&"http://h/".parse().unwrap(), yaml).unwrap();
        assert_eq!((operations.changing, operations.left_out.len()), (1, 2));
    }

    #[test]
    fn what_is_no_openapi_is_refused() {
        for text in ["", "[]", "{\"openapi\":\"4.0\"}", "{\"swagger\":\"2.0\"}", "<html>", "openapi: 3.0.0: x"] {
            assert!(read(&"http://h/".parse().unwrap(), text).is_err(), "{text}");
        }
        let around = "{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"$ref\":\"#/paths/~1b\"},\"/b\":{\"$ref\":\"#/paths/~1a\"}}}";
        assert_eq!(urls(around), Vec::<String>::new());
    }
}
