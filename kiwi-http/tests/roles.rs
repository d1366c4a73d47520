//! Every route by every role: what the table forbids is answered 403, what it allows is not, and a route that is not here fails the test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod common;

use kiwi_core::Operation as O;
use kiwi_core::{Role, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Method, path in the document, path to ask, the operation that it needs, and its body.
type Row = (&'static str, &'static str, &'static str, Option<O>, Option<Value>);

fn table() -> Vec<Row> {
    let service = json!({ "name": "new", "source": { "kind": "git", "url": "https://git.example.com/a/shop" }, "runtime": "local" });
    let change = json!({ "containers": [{ "name": "shop" }], "runtime": "local", "drain_seconds": 30, "stop_seconds": 10, "start_seconds": 60 });
    let id = "01arz3ndektsv4rrffq69g5fav";
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let own = |path: &str| leak(path.replace("{id}", id));
    let shop = "/services/shop/environments/development";
    let in_shop = |rest: &str| leak(format!("{shop}{rest}"));
    vec![
        ("GET", "/audit", "/audit", Some(O::ReadAudit), None),
        ("GET", "/whoami", "/whoami", None, None),
        ("POST", "/key/rotate", "/key/rotate", Some(O::RotateKey), None),
        ("GET", "/images", "/images?term=x", Some(O::CheckSources), None),
        ("GET", "/images/tags", "/images/tags?image=debian:1", Some(O::CheckSources), None),
        ("GET", "/images/digest", "/images/digest?image=debian:1", Some(O::CheckSources), None),
        ("GET", "/providers", "/providers", Some(O::ReadProviders), None),
        ("PUT", "/providers/{kind}", "/providers/gitlab", Some(O::ChangeProviders), Some(json!({ "token": "t" }))),
        ("DELETE", "/providers/{kind}", "/providers/gitlab", Some(O::ChangeProviders), None),
        ("GET", "/providers/{kind}/check", "/providers/gitlab/check", Some(O::ChangeProviders), None),
        ("GET", "/providers/{kind}/repositories", "/providers/gitlab/repositories", Some(O::BrowseProviders), None),
        ("GET", "/providers/{kind}/branches", "/providers/gitlab/branches?repository=a/b", Some(O::BrowseProviders), None),
        ("GET", "/providers/{kind}/namespaces", "/providers/gitlab/namespaces", Some(O::BrowseProviders), None),
        ("GET", "/registries", "/registries", Some(O::ReadRegistries), None),
        ("POST", "/registries", "/registries", Some(O::ChangeRegistries), Some(json!({ "name": "hub", "address": "registry.example.com" }))),
        ("GET", "/registries/{name}/check", "/registries/hub/check", Some(O::ReadRegistries), None),
        ("DELETE", "/registries/{name}", "/registries/hub", Some(O::ChangeRegistries), None),
        ("GET", "/runtimes", "/runtimes", Some(O::ReadRuntimes), None),
        ("POST", "/runtimes", "/runtimes", Some(O::ChangeRuntimes), Some(json!({ "name": "spare", "kind": "docker" }))),
        ("GET", "/runtimes/{name}/check", "/runtimes/spare/check", Some(O::ReadRuntimes), None),
        ("GET", "/runtimes/{name}/rbac", "/runtimes/spare/rbac", Some(O::ReadRuntimes), None),
        ("POST", "/runtimes/{name}/clean", "/runtimes/spare/clean", Some(O::CleanUp), None),
        ("DELETE", "/runtimes/{name}", "/runtimes/spare", Some(O::ChangeRuntimes), None),
        ("POST", "/sources/check", "/sources/check", Some(O::CheckSources), Some(json!({ "url": "https://git.example.com/a/b" }))),
        ("GET", "/services", "/services", Some(O::ReadServices), None),
        ("POST", "/services", "/services", Some(O::RegisterServices), Some(service)),
        ("GET", "/services/{name}", "/services/shop", Some(O::ReadServices), None),
        ("PUT", "/services/{name}", "/services/shop", Some(O::ChangeServices), Some(change)),
        ("PUT", "/services/{name}/build-secrets", "/services/shop/build-secrets", Some(O::ChangeServices), Some(json!({ "secrets": { "A": "b" } }))),
        ("GET", "/services/{name}/environments/{environment}", shop, Some(O::ReadServices), None),
        ("PUT", "/services/{name}/environments/{environment}", shop, Some(O::Deploy), Some(json!({}))),
        ("GET", "/services/{name}/environments/{environment}/gate", in_shop("/gate"), Some(O::ReadServices), None),
        ("PUT", "/services/{name}/environments/{environment}/gate", in_shop("/gate"), Some(O::ChangeGates), Some(json!({}))),
        ("DELETE", "/services/{name}/environments/{environment}/gate", in_shop("/gate"), Some(O::ChangeGates), None),
        ("POST", "/services/{name}/environments/{environment}/plan", in_shop("/plan"), Some(O::Deploy), Some(json!({ "kind": "restart" }))),
        ("GET", "/services/{name}/environments/{environment}/deployments", in_shop("/deployments"), Some(O::ReadServices), None),
        ("GET", "/services/{name}/environments/{environment}/deployments/{revision}", in_shop("/deployments/1"), Some(O::ReadServices), None),
        ("GET", "/services/{name}/environments/{environment}/status", in_shop("/status"), Some(O::ReadServices), None),
        ("GET", "/services/{name}/environments/{environment}/logs", in_shop("/logs"), Some(O::ReadServices), None),
        ("GET", "/services/{name}/ci", "/services/shop/ci", Some(O::ReadServices), None),
        ("PUT", "/services/{name}/ci", "/services/shop/ci", Some(O::ChangeServices), Some(json!({ "public_url": "https://kiwi.example.com" }))),
        ("DELETE", "/services/{name}/ci", "/services/shop/ci", Some(O::ChangeServices), None),
        ("POST", "/services/{name}/ci/reconcile", "/services/shop/ci/reconcile", Some(O::Deploy), None),
        ("POST", "/services/{name}/ci/forecast", "/services/shop/ci/forecast", Some(O::ExplainDeliveries), Some(json!({ "commit": "1".repeat(40) }))),
        ("GET", "/services/{name}/deliveries", "/services/shop/deliveries", Some(O::ExplainDeliveries), None),
        ("GET", "/deliveries/{id}", own("/deliveries/{id}"), Some(O::ExplainDeliveries), None),
        ("POST", "/services/{name}/runs", "/services/shop/runs", Some(O::Build), Some(json!({ "kind": "build" }))),
        ("POST", "/services/{name}/runs", "/services/shop/runs", Some(O::Deploy), Some(json!({ "kind": "pipeline" }))),
        ("GET", "/runs", "/runs", Some(O::ReadRuns), None),
        ("GET", "/runs/waiting", "/runs/waiting", Some(O::ReadRuns), None),
        ("GET", "/runs/{id}", own("/runs/{id}"), Some(O::ReadRuns), None),
        ("GET", "/runs/{id}/reports", own("/runs/{id}/reports"), Some(O::ReadRuns), None),
        ("GET", "/runs/{id}/events", own("/runs/{id}/events"), Some(O::ReadRuns), None),
        ("GET", "/runs/{id}/deployment", own("/runs/{id}/deployment"), Some(O::ReadRuns), None),
        ("POST", "/runs/{id}/cancel", own("/runs/{id}/cancel"), Some(O::CancelRuns), None),
        ("GET", "/tokens", "/tokens", Some(O::UseTokens), None),
        ("GET", "/tokens", "/tokens?all=true", Some(O::ChangeTokens), None),
        ("POST", "/tokens", "/tokens", Some(O::UseTokens), Some(json!({ "name": "x", "scopes": ["read"] }))),
        ("POST", "/tokens", "/tokens", Some(O::ChangeTokens), Some(json!({ "user": "grace", "name": "x", "scopes": ["read"] }))),
        ("GET", "/tokens/{id}", own("/tokens/{id}"), Some(O::UseTokens), None),
        ("DELETE", "/tokens/{id}", own("/tokens/{id}"), Some(O::UseTokens), None),
        ("GET", "/users", "/users", Some(O::ReadUsers), None),
        ("POST", "/users", "/users", Some(O::ChangeUsers), Some(json!({ "name": "kurt", "email": "k@example.com", "role": "admin" }))),
        ("GET", "/users/{name}", "/users/kurt", Some(O::ReadUsers), None),
        ("DELETE", "/users/{name}", "/users/kurt", Some(O::ChangeUsers), None),
        ("DELETE", "/services/{name}", "/services/nothing", Some(O::ReadServices), None),
        ("POST", "/bootstrap", "/bootstrap", None, Some(json!({ "token": "x", "name": "eve", "email": "e@example.com" }))),
    ]
}

#[tokio::test]
async fn every_route_keeps_the_table() {
    for world in common::worlds().await {
        for role in [Role::Admin, Role::Member { service: true }, Role::Member { service: false }] {
            for scope in Scope::CHOICES {
                let name = format!("u-{}-{}", scope, serde_json::to_string(&role).unwrap().len());
                let token = world.token("default", &name, role, scope).await;
                for (method, _, path, operation, body) in table() {
                    let answer = world.call(&token, method, path, body, &[]).await;
                    let allowed = operation.is_none_or(|operation| operation.allowed(role) && scope.covers(operation));
                    assert_eq!(answer.status.as_u16() == 403, !allowed, "{method} {path} by {role:?} with {scope}: {} {}", answer.status, answer.body);
                    assert!(answer.status.as_u16() < 500, "{method} {path} by {role:?}: {} {}", answer.status, answer.body);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_route_is_in_the_table_and_asks_for_a_token() {
    let document = serde_json::to_value(kiwi_http::openapi()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            routes.insert((method.to_uppercase(), path.trim_start_matches("/api/v1").to_owned()));
        }
    }
    let known: BTreeSet<_> = table().into_iter().map(|(method, path, ..)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(routes, known, "the routes of the router and those of the table above");
    let world = common::memory().await;
    for (method, path, asked, _, body) in table() {
        let answer = world.call("", method, asked, body, &[]).await;
        assert_eq!(answer.status.as_u16(), 401, "{method} {path}: {}", answer.body);
        assert_eq!(answer.json()["code"], "unauthenticated", "{method} {path}");
    }
}
