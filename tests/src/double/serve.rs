//! The protocol: paths, verbs, errors, lists, watches.

use super::Shared;
use super::apply::{self, leaves};
use super::objects::{self, State, kind_of, matches, selector, text};
use axum::body::Body;
use axum::http::{Request, Response};
use futures_util::StreamExt as _;
use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core, networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// A request, taken apart.
pub(crate) struct Call {
    verb: &'static str,
    plural: String,
    namespace: String,
    name: String,
    sub: String,
    query: HashMap<String, String>,
    body: Value,
    apply: bool,
}

fn answer(code: u16, body: &Value) -> Response<Body> {
    Response::builder().status(code).header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

fn status(code: u16, reason: &str, message: impl Into<String>, causes: Value) -> Response<Body> {
    let message: String = message.into();
    answer(
        code,
        &json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message, "details": { "causes": causes } }),
    )
}

pub(super) async fn serve(shared: Arc<Shared>, request: Request<kube::client::Body>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let bytes = body.collect_bytes().await.unwrap();
    let path = parts.uri.path().to_owned();
    shared.requests.lock().unwrap().push(format!("{} {}", parts.method, parts.uri));
    if path == "/version" {
        return Ok(answer(
            200,
            &json!({ "major": "1", "minor": "36", "gitVersion": "v1.36.0-simulated", "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": "" }),
        ));
    }
    {
        let mut faults = shared.faults.lock().unwrap();
        if faults.unavailable > 0 {
            faults.unavailable -= 1;
            return Ok(status(503, "ServiceUnavailable", "the server is currently unable to handle the request", json!([])));
        }
    }
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let rest = if segments[0] == "api" { &segments[2..] } else { &segments[3..] };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() => ((*namespace).to_owned(), inner),
        other => (String::new(), other),
    };
    let query: HashMap<String, String> = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let content = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let verb = match parts.method.as_str() {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ if query.get("watch").is_some_and(|value| value == "true" || value == "1") => "watch",
        _ if rest.len() > 1 => "get",
        _ => "list",
    };
    let call = Call {
        verb,
        plural: rest[0].to_owned(),
        namespace,
        name: rest.get(1).map(|name| (*name).to_owned()).unwrap_or_default(),
        sub: rest.get(2).map(|sub| (*sub).to_owned()).unwrap_or_default(),
        query,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        apply: content.contains("apply-patch"),
    };
    let forbidden = shared.faults.lock().unwrap().forbidden.contains(&format!("{} {}", call.verb, call.plural));
    if forbidden {
        return Ok(status(
            403,
            "Forbidden",
            format!("{} is forbidden: User \"test\" cannot {} resource \"{}\"", call.plural, call.verb, call.plural),
            json!([]),
        ));
    }
    if call.verb == "watch" {
        return Ok(watch(&shared, call));
    }
    if is_late(&shared, &call) {
        shared.late.lock().unwrap().push(call);
        return std::future::pending().await;
    }
    Ok(answered(&shared, &call))
}

fn is_late(shared: &Shared, call: &Call) -> bool {
    let mut faults = shared.faults.lock().unwrap();
    let Some((write, left)) = &mut faults.late else { return false };
    if *write != format!("{} {} {}", call.verb, call.plural, call.name) {
        return false;
    }
    *left = left.saturating_sub(1);
    let now = *left == 0;
    if now {
        faults.late = None;
    }
    now
}

pub(super) fn answered(shared: &Shared, call: &Call) -> Response<Body> {
    let mut state = shared.state.lock().unwrap();
    let response = act(shared, &mut state, call);
    let version = state.version;
    drop(state);
    shared.changed.send_if_modified(|known| std::mem::replace(known, version) != version);
    response
}

fn act(shared: &Shared, state: &mut State, call: &Call) -> Response<Body> {
    let Some((kind, version)) = kind_of(&call.plural) else { return status(404, "NotFound", "the server could not find the requested resource", json!([])) };
    let key = (call.plural.clone(), if call.plural == "namespaces" { String::new() } else { call.namespace.clone() }, call.name.clone());
    let missing = || status(404, "NotFound", format!("{} \"{}\" not found", call.plural, call.name), json!([]));
    let writes = matches!(call.verb, "create" | "update" | "patch");
    if writes && !call.namespace.is_empty() && !state.objects.contains_key(&("namespaces".to_owned(), String::new(), call.namespace.clone())) {
        return status(404, "NotFound", format!("namespaces \"{}\" not found", call.namespace), json!([]));
    }
    if writes && call.plural != "selfsubjectaccessreviews" {
        let mut faults = shared.faults.lock().unwrap();
        if faults.conflicts > 0 && call.verb == "update" {
            faults.conflicts -= 1;
            return status(
                409,
                "Conflict",
                "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again",
                json!([]),
            );
        }
    }
    match call.verb {
        "get" if call.sub == "log" => match state.objects.get(&key) {
            Some(pod) => Response::new(Body::from(log(pod, call))),
            None => missing(),
        },
        "get" => state.objects.get(&key).map_or_else(missing, |object| answer(200, object)),
        "list" => {
            let items = state.list(&call.plural, &call.namespace, &selector(call.query.get("labelSelector").map_or("", String::as_str)));
            answer(
                200,
                &json!({ "kind": format!("{kind}List"), "apiVersion": version, "metadata": { "resourceVersion": state.version.to_string() }, "items": items }),
            )
        }
        "create" if call.plural == "selfsubjectaccessreviews" => {
            let asked = &call.body["spec"]["resourceAttributes"];
            let what = format!("{} {}", text(asked, "/verb"), text(asked, "/resource"));
            let allowed = !shared.faults.lock().unwrap().forbidden.contains(&what);
            answer(201, &json!({ "kind": kind, "apiVersion": version, "metadata": {}, "spec": call.body["spec"], "status": { "allowed": allowed } }))
        }
        "create" if call.plural == "selfsubjectreviews" => answer(
            201,
            &json!({ "kind": kind, "apiVersion": version, "metadata": {}, "status": { "userInfo": { "username": "system:serviceaccount:kiwi:kiwi" } } }),
        ),
        "create" => {
            let mut object = call.body.clone();
            object["kind"] = kind.into();
            object["metadata"]["namespace"] = call.namespace.as_str().into();
            let key = State::key(&object);
            if state.objects.contains_key(&key) {
                return status(409, "AlreadyExists", format!("{} \"{}\" already exists", call.plural, key.2), json!([]));
            }
            answer(201, &state.put(object))
        }
        "update" => {
            let Some(live) = state.objects.get(&key) else { return missing() };
            if text(&call.body, "/metadata/resourceVersion") != text(live, "/metadata/resourceVersion") {
                return status(409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again", json!([]));
            }
            let mut object = call.body.clone();
            object["kind"] = kind.into();
            answer(200, &state.put(object))
        }
        "patch" if call.apply => server_side_apply(state, call, &key),
        "patch" => {
            let Some(live) = state.objects.get(&key).cloned() else { return missing() };
            let mut object = live;
            merge(&mut object, &call.body);
            answer(200, &state.put(object))
        }
        "delete" => {
            if !state.objects.contains_key(&key) {
                return missing();
            }
            if !state.leave(&key) {
                state.remove(&key);
            }
            answer(200, &json!({ "kind": "Status", "apiVersion": "v1", "status": "Success", "code": 200 }))
        }
        other => status(405, "MethodNotAllowed", other, json!([])),
    }
}

fn merge(object: &mut Value, patch: &Value) {
    match (object, patch) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    fields.remove(name);
                } else {
                    merge(fields.entry(name.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (object, patch) => *object = patch.clone(),
    }
}

fn server_side_apply(state: &mut State, call: &Call, key: &objects::Key) -> Response<Body> {
    if let Err(field) = known(&call.body) {
        return status(400, "BadRequest", format!("failed to create typed patch object: .{field}: field not declared in schema"), json!([]));
    }
    let force = call.query.get("force").is_some_and(|value| value == "true");
    let manager = call.query.get("fieldManager").cloned().unwrap_or_default();
    let live = state.objects.get(key).cloned();
    let named = text(&call.body, "/metadata/resourceVersion");
    if !named.is_empty() && live.as_ref().is_none_or(|live| text(live, "/metadata/resourceVersion") != named) {
        return status(409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again", json!([]));
    }
    if let Some(live) = &live {
        let immutable = live["immutable"] == true && (live["data"] != call.body["data"]);
        let selector = key.0 == "deployments" && live["spec"]["selector"] != call.body["spec"]["selector"] && !call.body["spec"]["selector"].is_null();
        if immutable || selector {
            return status(422, "Invalid", format!("{} \"{}\" is invalid: field is immutable", call.plural, call.name), json!([]));
        }
    }
    let none = apply::Owners::new();
    let owners = state.owners.get(key).unwrap_or(&none);
    match apply::apply(live.as_ref(), owners, &call.body, &manager, force) {
        Err(conflicts) => {
            let causes: Vec<Value> = conflicts
                .iter()
                .map(|(field, owner)| json!({ "reason": "FieldManagerConflict", "field": field, "message": format!("conflict with \"{owner}\"") }))
                .collect();
            status(409, "Conflict", format!("Apply failed with {} conflict", conflicts.len()), Value::from(causes))
        }
        Ok((mut merged, owners)) => {
            merged["metadata"]["namespace"] = if key.1.is_empty() { Value::Null } else { key.1.as_str().into() };
            if key.1.is_empty() {
                merged["metadata"].as_object_mut().unwrap().remove("namespace");
            }
            if call.query.get("dryRun").is_some_and(|value| value == "All") {
                return answer(200, &merged);
            }
            state.owners.insert(key.clone(), owners);
            answer(200, &state.put(merged))
        }
    }
}

/// Strict validation: what a typed object loses or changes, the server does not know.
pub(super) fn known(object: &Value) -> Result<(), String> {
    fn read<T: serde::de::DeserializeOwned + serde::Serialize>(object: Value) -> Option<Value> {
        serde_json::to_value(serde_json::from_value::<T>(object).ok()?).ok()
    }
    let read = match text(object, "/kind") {
        "Deployment" => read::<apps::Deployment>,
        "Secret" => read::<core::Secret>,
        "Service" => read::<core::Service>,
        "ConfigMap" => read::<core::ConfigMap>,
        "PersistentVolumeClaim" => read::<core::PersistentVolumeClaim>,
        "Namespace" => read::<core::Namespace>,
        "ServiceAccount" => read::<core::ServiceAccount>,
        "Job" => read::<batch::Job>,
        "Ingress" => read::<networking::Ingress>,
        "PodDisruptionBudget" => read::<policy::PodDisruptionBudget>,
        "ClusterRole" => read::<rbac::ClusterRole>,
        "ClusterRoleBinding" => read::<rbac::ClusterRoleBinding>,
        "RoleBinding" => read::<rbac::RoleBinding>,
        _ => Some,
    };
    let Some(typed) = read(object.clone()) else { return Err("spec".to_owned()) };
    let (before, after) = (leaves(object), leaves(&typed));
    match before.iter().find(|(path, value)| !value.is_object() && !after.contains(&(path.clone(), value.clone()))) {
        Some((path, _)) => Err(format!("{path:?}")),
        None => Ok(()),
    }
}

fn log(pod: &Value, call: &Call) -> String {
    let lines = text(pod, "/metadata/annotations/double~1log");
    let stamp = call.query.get("timestamps").is_some_and(|value| value == "true");
    let tail = call.query.get("tailLines").and_then(|text| text.parse::<usize>().ok()).unwrap_or(usize::MAX);
    let all: Vec<&str> = lines.lines().collect();
    let shown = &all[all.len().saturating_sub(tail)..];
    shown.iter().enumerate().map(|(at, line)| if stamp { format!("2026-01-01T00:00:00.{at:09}Z {line}\n") } else { format!("{line}\n") }).collect()
}

/// The changes after a version, then those to come. It ends when the faults say so, and begins with 410 when history is forgotten.
fn watch(shared: &Arc<Shared>, call: Call) -> Response<Body> {
    let from: u64 = call.query.get("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
    let faults = shared.faults.lock().unwrap().clone();
    if faults.forget_history && from > 0 && from < shared.state.lock().unwrap().version {
        let gone = json!({ "type": "ERROR", "object": { "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version" } });
        return Response::new(Body::from(format!("{gone}\n")));
    }
    let selector = selector(call.query.get("labelSelector").map_or("", String::as_str));
    let bookmarks = call.query.get("allowWatchBookmarks").is_some_and(|value| value == "true");
    let (shared, changed) = (shared.clone(), shared.changed.subscribe());
    let begin = (from, 0usize, changed, shared, call, selector);
    let stream = futures_util::stream::unfold(begin, move |(mut at, mut told, mut changed, shared, call, selector)| {
        let limit = faults.watch_events.unwrap_or(usize::MAX);
        async move {
            if told >= limit {
                return None;
            }
            loop {
                changed.borrow_and_update();
                let (events, version) = {
                    let state = shared.state.lock().unwrap();
                    let begin = state.history.partition_point(|change| change.version <= at);
                    let new = state.history[begin..].iter().filter(|change| change.plural == call.plural);
                    let ours = new.filter(|change| call.namespace.is_empty() || text(&change.object, "/metadata/namespace") == call.namespace);
                    let events: Vec<Value> = ours
                        .filter(|change| matches(&change.object, &selector))
                        .map(|change| json!({ "type": change.kind, "object": change.object }))
                        .collect();
                    (events, state.version)
                };
                at = version;
                if !events.is_empty() {
                    told += events.len();
                    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
                    return Some((Ok::<_, Infallible>(text), (at, told, changed, shared, call, selector)));
                }
                if tokio::time::timeout(Duration::from_secs(1), changed.changed()).await.is_err() && bookmarks {
                    let (kind, api) = kind_of(&call.plural).unwrap();
                    let bookmark =
                        json!({ "type": "BOOKMARK", "object": { "kind": kind, "apiVersion": api, "metadata": { "resourceVersion": at.to_string() } } });
                    return Some((Ok(format!("{bookmark}\n")), (at, told, changed, shared, call, selector)));
                }
            }
        }
    });
    Response::new(Body::from_stream(stream.boxed()))
}
