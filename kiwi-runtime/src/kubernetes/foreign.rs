//! Fields that somebody else added to a Deployment of Kiwi's. Server-side apply leaves them alone, and an added variable even beats Kiwi's own.

use super::objects::DEPLOYMENT;
use super::{convert, names};
use kiwi_core::error::Result;
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::{Map, Value, json};

/// What others added below `spec`, each as its path with who added it.
pub(super) fn added(live: &Value) -> Vec<String> {
    without(live).1
}

/// Takes back what others added to a Deployment, so that it is again what Kiwi applied.
pub(super) async fn remove(client: &Client, namespace: &str, name: &str) -> Result<Vec<String>> {
    let api = DEPLOYMENT.api(client, namespace);
    let Some(live) = api.get_opt(name).await.map_err(convert::cluster("read deployment"))? else { return Ok(Vec::new()) };
    let version = live.metadata.resource_version.clone();
    let live = serde_json::to_value(&live).unwrap_or_default();
    let (spec, found) = without(&live);
    if found.is_empty() {
        return Ok(found);
    }
    // The version makes sure that only what was seen is taken away.
    let patch = json!({ "metadata": { "resourceVersion": version }, "spec": difference(&live["spec"], &spec) });
    let parameters = PatchParams { field_manager: Some(names::MANAGER.to_owned()), ..PatchParams::default() };
    api.patch(name, &parameters, &Patch::Merge(&patch)).await.map_err(convert::cluster("take fields back"))?;
    Ok(found)
}

/// The specification without what others added, and that.
fn without(live: &Value) -> (Value, Vec<String>) {
    let mut spec = live["spec"].clone();
    let mut found = Vec::new();
    let entries = live["metadata"]["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fields = |entry: &Value| entry["fieldsV1"]["f:spec"].as_object().cloned();
    let mut own = Map::new();
    for entry in entries.iter().filter(|entry| entry["manager"] == names::MANAGER) {
        merge(&mut own, fields(entry).unwrap_or_default());
    }
    // The status and the scale have a way of their own, which controllers use.
    for entry in entries.iter().filter(|entry| entry["manager"] != names::MANAGER && entry["subresource"].as_str().unwrap_or_default().is_empty()) {
        let manager = entry["manager"].as_str().unwrap_or_default();
        strip(&mut spec, &fields(entry).unwrap_or_default(), Some(&own), "spec", &mut |path| found.push(format!("{path} was added by {manager}")));
    }
    (spec, found)
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// Removes the fields that `own` does not have too (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>).
fn strip(value: &mut Value, fields: &Map<String, Value>, own: Option<&Map<String, Value>>, path: &str, tell: &mut impl FnMut(String)) {
    for (key, inner) in fields.iter().filter(|(key, _)| *key != ".") {
        let ours = own.and_then(|own| own.get(key));
        let inner = inner.as_object();
        // A field of its own, or an item that its manager made as a whole.
        let whole = inner.is_none_or(|inner| inner.is_empty() || inner.contains_key("."));
        if let Some(name) = key.strip_prefix("f:") {
            let path = format!("{path}.{name}");
            if ours.is_none() && whole {
                if value.as_object_mut().and_then(|object| object.remove(name)).is_some() {
                    tell(path);
                }
            } else if let (Some(below), Some(inner)) = (value.get_mut(name), inner) {
                strip(below, inner, ours.and_then(Value::as_object), &path, tell);
            }
        } else if let Some(wanted) = key.strip_prefix("k:").and_then(|keys| serde_json::from_str::<Map<String, Value>>(keys).ok()) {
            let Some(items) = value.as_array_mut() else { continue };
            let Some(at) = items.iter().position(|item| wanted.iter().all(|(key, value)| item.get(key) == Some(value))) else { continue };
            let shown: Vec<String> = wanted.values().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
            let path = format!("{path}[{}]", shown.join(","));
            if ours.is_none() && whole {
                items.remove(at);
                tell(path);
            } else if let Some(inner) = inner {
                strip(&mut items[at], inner, ours.and_then(Value::as_object), &path, tell);
            }
        }
    }
}

/// The merge patch (RFC 7386) from one object to another.
fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (from, to) else { return to.clone() };
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(*value));
    Value::Object(gone.chain(changed.map(|(key, value)| (key.clone(), difference(old.get(key).unwrap_or(&Value::Null), value)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_added_is_found_and_what_is_kiwi_s_stays() {
        let item = |name: &str| format!("k:{{\"name\":\"{name}\"}}");
        let live = json!({
            "metadata": { "managedFields": [
                { "manager": "kiwi", "operation": "Apply", "fieldsV1": { "f:spec": { "f:replicas": {}, "f:template": { "f:spec": { "f:containers": {
                    item("web"): { ".": {}, "f:name": {}, "f:image": {}, "f:envFrom": {} } } } } } } },
                { "manager": "kubectl-set", "operation": "Update", "fieldsV1": { "f:spec": { "f:template": { "f:spec": { "f:containers": {
                    item("web"): { "f:env": { ".": {}, item("HACK"): { ".": {}, "f:name": {}, "f:value": {} } }, "f:command": {} },
                    item("spy"): { ".": {}, "f:image": {} } } } } } } },
                { "manager": "kube-controller-manager", "subresource": "status", "fieldsV1": { "f:status": {} } },
                { "manager": "autoscaler", "subresource": "scale", "fieldsV1": { "f:spec": { "f:replicas": {} } } },
            ] },
            "spec": { "replicas": 2, "template": { "spec": { "dnsPolicy": "ClusterFirst", "containers": [
                { "name": "web", "image": "a", "envFrom": [1], "env": [{ "name": "HACK", "value": "1" }], "command": ["x"], "terminationMessagePath": "/dev/x" },
                { "name": "spy", "image": "b" } ] } } },
        });
        let (spec, mut found) = without(&live);
        found.sort();
        assert_eq!(
            found,
            [
                "spec.template.spec.containers[spy] was added by kubectl-set",
                "spec.template.spec.containers[web].command was added by kubectl-set",
                "spec.template.spec.containers[web].env was added by kubectl-set",
            ]
        );
        let kept = json!([{ "name": "web", "image": "a", "envFrom": [1], "terminationMessagePath": "/dev/x" }]);
        assert_eq!(spec["template"]["spec"]["containers"], kept);
        assert_eq!(difference(&live["spec"], &spec), json!({ "template": { "spec": { "containers": kept } } }));
        assert_eq!(difference(&json!({ "a": 1, "b": { "c": 1, "d": 2 } }), &json!({ "b": { "c": 1 } })), json!({ "a": null, "b": { "d": null } }));
    }
}
