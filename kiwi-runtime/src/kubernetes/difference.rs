//! How two objects differ, in words for people.

use super::names;
use serde_json::Value;

/// The differences of two objects of one kind in what Kiwi decides: nothing of the cluster's own bookkeeping.
pub(super) fn between(live: &Value, wanted: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for key in ["spec", "type"] {
        walk(key, live.get(key).unwrap_or(&Value::Null), wanted.get(key).unwrap_or(&Value::Null), &mut found);
    }
    found
}

fn walk(path: &str, live: &Value, wanted: &Value, found: &mut Vec<String>) {
    match (live, wanted) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in keys {
                // The revision is different by nature.
                if [names::REVISION, "app.kubernetes.io/version", "clusterIP", "clusterIPs"].contains(&key.as_str()) {
                    continue;
                }
                walk(&format!("{path}.{key}"), old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter().zip(new).enumerate().for_each(|(at, (old, new))| walk(&format!("{path}[{at}]"), old, new, found));
        }
        (old, new) if old == new => {}
        (old, new) => found.push(sentence(path, old, new)),
    }
}

fn sentence(path: &str, old: &Value, new: &Value) -> String {
    let shown = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string().chars().take(200).collect(),
    };
    let pod = path.strip_prefix("spec.template.spec.containers[0].").or_else(|| path.strip_prefix("spec.template.spec."));
    let name = match pod.or_else(|| path.strip_prefix("spec.")).unwrap_or(path) {
        "resources.limits.memory" => "memory limit",
        "resources.limits.cpu" => "CPU limit",
        "resources.requests.memory" => "memory request",
        "resources.requests.cpu" => "CPU request",
        // The name is a hash of every variable's name and value.
        "envFrom[0].secretRef.name" => return "its variables change".to_owned(),
        other => other,
    };
    format!("{name}: {} -> {}", shown(old), shown(new))
}

#[cfg(test)]
mod tests {
    use super::between;
    use serde_json::json;

    #[test]
    fn what_a_person_changed_is_told_and_nothing_else() {
        let live = json!({ "metadata": { "generation": 1 }, "status": {}, "spec": { "replicas": 2, "template": {
            "metadata": { "labels": { "kiwi.dev/revision": "1" } },
            "spec": { "containers": [{ "image": "a@1", "resources": { "limits": { "memory": "1Gi" } }, "envFrom": [{ "secretRef": { "name": "x-1" } }] }] } } } });
        let mut wanted = live.clone();
        wanted["metadata"]["generation"] = 2.into();
        wanted["spec"]["template"]["metadata"]["labels"]["kiwi.dev/revision"] = "2".into();
        assert_eq!(between(&live, &wanted), Vec::<String>::new());
        wanted["spec"]["replicas"] = 3.into();
        wanted["spec"]["template"]["spec"]["containers"][0] =
            json!({ "image": "a@2", "resources": { "limits": { "memory": "2Gi" } }, "envFrom": [{ "secretRef": { "name": "x-2" } }] });
        assert_eq!(between(&live, &wanted), ["replicas: 2 -> 3", "its variables change", "image: a@1 -> a@2", "memory limit: 1Gi -> 2Gi"]);
    }
}
