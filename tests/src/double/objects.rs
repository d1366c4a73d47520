//! The objects, their versions, and the history that watches read.

use super::apply::Owners;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// The kinds: plural, kind, group and version.
pub(super) const KINDS: [(&str, &str, &str); 19] = [
    ("namespaces", "Namespace", "v1"),
    ("nodes", "Node", "v1"),
    ("configmaps", "ConfigMap", "v1"),
    ("secrets", "Secret", "v1"),
    ("services", "Service", "v1"),
    ("persistentvolumeclaims", "PersistentVolumeClaim", "v1"),
    ("pods", "Pod", "v1"),
    ("events", "Event", "v1"),
    ("resourcequotas", "ResourceQuota", "v1"),
    ("deployments", "Deployment", "apps/v1"),
    ("replicasets", "ReplicaSet", "apps/v1"),
    ("jobs", "Job", "batch/v1"),
    ("poddisruptionbudgets", "PodDisruptionBudget", "policy/v1"),
    ("ingresses", "Ingress", "networking.k8s.io/v1"),
    ("leases", "Lease", "coordination.k8s.io/v1"),
    ("rolebindings", "RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("selfsubjectaccessreviews", "SelfSubjectAccessReview", "authorization.k8s.io/v1"),
    ("selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io/v1"),
    ("endpointslices", "EndpointSlice", "discovery.k8s.io/v1"),
];

/// Plural, namespace and name.
pub(super) type Key = (String, String, String);

/// One change, as a watch tells it.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) kind: &'static str,
    pub(super) plural: String,
    pub(super) object: Value,
}

pub(crate) struct State {
    pub(super) objects: BTreeMap<Key, Value>,
    pub(super) owners: HashMap<Key, Owners>,
    pub(super) history: Vec<Change>,
    pub(crate) version: u64,
    /// What controllers remember between steps: counters and times, by what they are of.
    pub(super) memory: HashMap<String, u64>,
}

pub(super) fn kind_of(plural: &str) -> Option<(&'static str, &'static str)> {
    KINDS.iter().find(|(known, ..)| *known == plural).map(|(_, kind, version)| (*kind, *version))
}

pub(super) fn plural_of(kind: &str) -> &'static str {
    KINDS.iter().find(|(_, known, _)| *known == kind).map_or("", |(plural, ..)| plural)
}

pub(super) fn text<'v>(object: &'v Value, path: &str) -> &'v str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(object: &Value, path: &str) -> i64 {
    object.pointer(path).and_then(Value::as_i64).unwrap_or(0)
}

pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl State {
    pub(super) fn new() -> Self {
        let mut state = Self { objects: BTreeMap::new(), owners: HashMap::new(), history: Vec::new(), version: 1, memory: HashMap::new() };
        state.put(json!({ "kind": "Node", "metadata": { "name": "node1" }, "status": {
            "conditions": [{ "type": "Ready", "status": "True" }],
            "nodeInfo": { "architecture": "amd64", "operatingSystem": "linux" } } }));
        state.put(json!({ "kind": "Namespace", "metadata": { "name": "default" } }));
        state
    }

    pub(super) fn key(object: &Value) -> Key {
        (plural_of(text(object, "/kind")).to_owned(), text(object, "/metadata/namespace").to_owned(), text(object, "/metadata/name").to_owned())
    }

    /// Stores an object: uid and times for a new one, a new generation when its spec changed. An object that changed in nothing keeps its version.
    pub(super) fn put(&mut self, mut object: Value) -> Value {
        let key = Self::key(&object);
        let (kind, version) = kind_of(&key.0).unwrap_or_else(|| panic!("{object}"));
        object["kind"] = kind.into();
        object["apiVersion"] = version.into();
        let before = self.objects.get(&key).cloned();
        let metadata = object["metadata"].as_object_mut().unwrap();
        match &before {
            Some(before) => {
                for field in ["uid", "creationTimestamp", "generation", "resourceVersion"] {
                    metadata.insert(field.to_owned(), before["metadata"][field].clone());
                }
                if before == &object {
                    return object;
                }
                if before["spec"] != object["spec"] {
                    object["metadata"]["generation"] = (number(before, "/metadata/generation") + 1).into();
                }
            }
            None => {
                metadata.insert("uid".to_owned(), format!("uid-{}", self.version).into());
                metadata.insert("creationTimestamp".to_owned(), now().into());
                metadata.insert("generation".to_owned(), 1.into());
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let change = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.history.push(Change { version: self.version, kind: change, plural: key.0.clone(), object: object.clone() });
        self.objects.insert(key, object.clone());
        object
    }

    /// Removes an object, and what it owns.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.remove(key)?;
        self.owners.remove(key);
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.history.push(Change { version: self.version, kind: "DELETED", plural: key.0.clone(), object: object.clone() });
        let uid = text(&object, "/metadata/uid").to_owned();
        let inside = |other: &Key| key.0 == "namespaces" && other.1 == key.2;
        let owned = |value: &Value| {
            value.pointer("/metadata/ownerReferences").and_then(Value::as_array).is_some_and(|all| all.iter().any(|owner| owner["uid"] == uid.as_str()))
        };
        let follow: Vec<Key> = self.objects.iter().filter(|(other, value)| inside(other) || owned(value)).map(|(other, _)| other.clone()).collect();
        for other in follow {
            if key.0 == "namespaces" || !self.leave(&other) {
                self.remove(&other);
            }
        }
        Some(object)
    }

    /// A running pod is asked to leave; the kubelet removes it later. Whether that is so.
    pub(super) fn leave(&mut self, key: &Key) -> bool {
        let Some(mut object) = self.objects.get(key).cloned() else { return false };
        if key.0 != "pods" || matches!(text(&object, "/status/phase"), "Succeeded" | "Failed" | "") {
            return false;
        }
        if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = now().into();
            self.put(object);
        }
        true
    }

    /// Objects of a kind, by a selector of labels.
    pub(super) fn list(&self, plural: &str, namespace: &str, selector: &[(String, Option<String>)]) -> Vec<Value> {
        let from = (plural.to_owned(), namespace.to_owned(), String::new());
        let of = self.objects.range(from..).take_while(|((kind, place, _), _)| kind == plural && (namespace.is_empty() || place == namespace));
        of.map(|(_, object)| object.clone()).filter(|object| matches(object, selector)).collect()
    }
}

/// Whether an object has the labels.
pub(super) fn matches(object: &Value, selector: &[(String, Option<String>)]) -> bool {
    let none = Map::new();
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object).unwrap_or(&none);
    selector.iter().all(|(name, value)| labels.get(name).is_some_and(|found| value.as_ref().is_none_or(|value| found == value.as_str())))
}

/// `a=b,c` as its parts.
pub(super) fn selector(text: &str) -> Vec<(String, Option<String>)> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').map_or((part.to_owned(), None), |(name, value)| (name.to_owned(), Some(value.trim_start_matches('=').to_owned()))))
        .collect()
}
