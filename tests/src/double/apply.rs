//! Server-side apply: who owns which field, with the lists that have keys.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A step into an object: a field, or an item of a list by its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    Field(String),
    Item(String),
}

pub(super) type Path = Vec<Step>;

/// The leaves of an object that somebody applied, with who did.
pub(super) type Owners = BTreeMap<Path, BTreeSet<String>>;

/// Lists whose items are told apart by these fields (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>); any other list is one value.
fn keys(list: &str) -> &'static [&'static str] {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => &["name"],
        "volumeMounts" => &["mountPath"],
        "ports" => &["containerPort", "port", "protocol"],
        "conditions" => &["type"],
        "ownerReferences" => &["uid"],
        _ => &[],
    }
}

/// The leaves of a value. An empty object is a leaf too.
pub(super) fn leaves(value: &Value) -> Vec<(Path, Value)> {
    let mut out = Vec::new();
    walk(&mut Vec::new(), "", value, &mut out);
    out
}

fn walk(path: &mut Path, name: &str, value: &Value, out: &mut Vec<(Path, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                path.push(Step::Field(field.clone()));
                walk(path, field, value, out);
                path.pop();
            }
        }
        Value::Array(items) if !keys(name).is_empty() && items.iter().all(Value::is_object) && !items.is_empty() => {
            for item in items {
                let key: Vec<String> = keys(name).iter().filter_map(|key| item.get(*key).map(|value| format!("{key}={value}"))).collect();
                path.push(Step::Item(key.join(",")));
                walk(path, "", item, out);
                path.pop();
            }
        }
        leaf => out.push((path.clone(), leaf.clone())),
    }
}

/// The value that has these leaves, in their order.
fn build(leaves: &[(Path, Value)]) -> Value {
    if let [(path, value)] = leaves
        && path.is_empty()
    {
        return value.clone();
    }
    let mut groups: Vec<(Step, Vec<(Path, Value)>)> = Vec::new();
    for (path, value) in leaves {
        let (first, rest) = path.split_first().unwrap();
        match groups.iter_mut().find(|(step, _)| step == first) {
            Some((_, group)) => group.push((rest.to_vec(), value.clone())),
            None => groups.push((first.clone(), vec![(rest.to_vec(), value.clone())])),
        }
    }
    if matches!(groups.first(), Some((Step::Item(_), _))) {
        return Value::Array(groups.iter().map(|(_, group)| build(group)).collect());
    }
    let mut object = Map::new();
    for (step, group) in groups {
        if let Step::Field(name) = step {
            object.insert(name, build(&group));
        }
    }
    Value::Object(object)
}

fn shown(path: &Path) -> String {
    path.iter()
        .map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Item(key) => format!("[{key}]"),
        })
        .collect()
}

/// Fields that nobody owns.
fn unowned(path: &Path) -> bool {
    let name = |at: usize| path.get(at).and_then(|step| if let Step::Field(name) = step { Some(name.as_str()) } else { None });
    matches!(name(0), Some("apiVersion" | "kind" | "status"))
        || (name(0) == Some("metadata")
            && matches!(name(1), Some("name" | "namespace" | "uid" | "resourceVersion" | "creationTimestamp" | "generation" | "deletionTimestamp")))
}

/// Merges what `manager` applies into the live object; or the fields that others own, each with who does.
pub(super) fn apply(live: Option<&Value>, owners: &Owners, applied: &Value, manager: &str, force: bool) -> Result<(Value, Owners), Vec<(String, String)>> {
    let wanted: Vec<(Path, Value)> = leaves(applied);
    let mut merged: Vec<(Path, Value)> = live.map(leaves).unwrap_or_default();
    let mut owners = owners.clone();
    let mut conflicts = Vec::new();
    for (path, value) in &wanted {
        if unowned(path) {
            continue;
        }
        let others: Vec<String> = owners.get(path).map(|all| all.iter().filter(|owner| *owner != manager).cloned().collect()).unwrap_or_default();
        let differs = merged.iter().find(|(other, _)| other == path).is_none_or(|(_, live)| live != value);
        if !others.is_empty() && differs && !force {
            conflicts.push((shown(path), others.join(", ")));
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    // What this manager applied before and does not any more is gone, unless somebody else owns it too.
    let before: Vec<Path> = owners.iter().filter(|(_, all)| all.contains(manager)).map(|(path, _)| path.clone()).collect();
    for path in before {
        if wanted.iter().any(|(other, _)| *other == path) {
            continue;
        }
        let all = owners.get_mut(&path).unwrap();
        all.remove(manager);
        if all.is_empty() {
            owners.remove(&path);
            merged.retain(|(other, _)| !other.starts_with(&path));
        }
    }
    for (path, value) in &wanted {
        if !unowned(path) {
            let differs = merged.iter().find(|(other, _)| other == path).is_none_or(|(_, live)| live != value);
            let all = owners.entry(path.clone()).or_default();
            if differs {
                all.clear();
            }
            all.insert(manager.to_owned());
        }
        // A value takes the place of an object that was there, and the other way round.
        merged.retain(|(other, _)| other == path || !(other.starts_with(path) || path.starts_with(other)));
        match merged.iter_mut().find(|(other, _)| other == path) {
            Some((_, live)) => *live = value.clone(),
            None => {
                // Beside its siblings, so that items of a list keep together.
                let parent = &path[..path.len().saturating_sub(1)];
                let at = merged.iter().rposition(|(other, _)| other.starts_with(parent)).map_or(merged.len(), |at| at + 1);
                merged.insert(at, (path.clone(), value.clone()));
            }
        }
    }
    Ok((build(&merged), owners))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_belong_to_who_applied_them() {
        let first = json!({ "kind": "Deployment", "spec": { "replicas": 1, "template": { "spec": { "containers": [{ "name": "web", "image": "a" }] } } } });
        let (live, owners) = apply(None, &Owners::new(), &first, "kiwi", false).unwrap();
        assert_eq!(live, first);
        let sidecar = json!({ "kind": "Deployment", "spec": { "template": { "spec": { "containers": [{ "name": "mesh", "image": "m" }] } } } });
        let (live, owners) = apply(Some(&live), &owners, &sidecar, "mesh", false).unwrap();
        let mut second = first.clone();
        second["spec"]["template"]["spec"]["containers"][0]["image"] = "b".into();
        let (live, owners) = apply(Some(&live), &owners, &second, "kiwi", false).unwrap();
        assert_eq!(live["spec"]["template"]["spec"]["containers"], json!([{ "name": "web", "image": "b" }, { "name": "mesh", "image": "m" }]));
        let scale = json!({ "kind": "Deployment", "spec": { "replicas": 3 } });
        let (live, owners) = apply(Some(&live), &owners, &scale, "hpa", true).unwrap();
        assert_eq!(apply(Some(&live), &owners, &second, "kiwi", false).unwrap_err(), [(".spec.replicas".to_owned(), "hpa".to_owned())]);
        let mut third = second;
        third["spec"].as_object_mut().unwrap().remove("replicas");
        let (live, _) = apply(Some(&live), &owners, &third, "kiwi", false).unwrap();
        assert_eq!(live["spec"]["replicas"], 3, "it is the other's now");
    }
}
