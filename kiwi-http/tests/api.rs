//! What holds for every resource: who comes in, what is there for whom, how errors look, pages, tags, keys and streams.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod common;

use axum::body::Body;
use axum::extract::ConnectInfo;
use common::{new_service, request, worlds};
use futures_util::StreamExt as _;
use kiwi_core::domain::EnvironmentName;
use kiwi_core::{Actor, Role, Scope};
use kiwi_http::{HttpConfig, HttpState, router};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tower::ServiceExt as _;

#[tokio::test]
async fn only_a_token_that_is_valid_opens() {
    for world in worlds().await {
        let made = world.call(&world.admin, "POST", "/tokens", Some(json!({ "name": "ci", "scopes": ["deploy"] })), &[]).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let (value, id) = (made.json()["value"].as_str().unwrap().to_owned(), made.json()["token"]["id"].as_str().unwrap().to_owned());
        assert!(value.starts_with("kiwi_") && made.header("location").ends_with(&id));
        assert_eq!(world.call(&value, "GET", "/whoami", None, &[]).await.json()["scopes"], json!(["deploy"]));
        assert!(!world.get("/tokens").await.body.contains(&value), "a value is shown once");
        let used = world.get(&format!("/tokens/{id}")).await.json();
        assert!(used["last_used_at"].is_string());

        assert_eq!(world.call(&world.admin, "DELETE", &format!("/tokens/{id}"), None, &[]).await.status, 200);
        let refused = world.call(&value, "GET", "/whoami", None, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, "Bearer realm=\"kiwi\""));

        let past = json!({ "name": "old", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z" });
        assert_eq!(world.call(&world.admin, "POST", "/tokens", Some(past), &[]).await.status, 400);
        // Who leaves takes the tokens along, also when somebody of the same name comes.
        let grace = world.token("default", "grace", Role::Admin, Scope::Admin).await;
        assert_eq!(world.call(&world.admin, "DELETE", "/users/grace", None, &[]).await.status, 204);
        world.token("default", "grace", Role::Admin, Scope::Admin).await;
        assert_eq!(world.call(&grace, "GET", "/whoami", None, &[]).await.status, 401);
    }
}

#[tokio::test]
async fn the_first_admin_is_made_once() {
    for world in common::worlds_without_admin().await {
        // Two replicas print a token each.
        let [token, another] = [world.kiwi.offer_bootstrap().await.unwrap().unwrap(), world.kiwi.offer_bootstrap().await.unwrap().unwrap()];
        let form = |token: &SecretString, name: &str| json!({ "token": token.expose_secret(), "name": name, "email": "root@example.com" });
        let body = form(&token, "root");
        assert_eq!(world.call(token.expose_secret(), "GET", "/whoami", None, &[]).await.status, 401, "it opens nothing else");
        // A name that is taken uses the token up for nobody.
        world.token("default", "max", Role::Member { service: false }, Scope::Read).await;
        assert_eq!(world.call("", "POST", "/bootstrap", Some(form(&token, "max")), &[]).await.status, 409);
        let other = form(&another, "root2");
        let both = tokio::join!(world.call("", "POST", "/bootstrap", Some(body.clone()), &[]), world.call("", "POST", "/bootstrap", Some(other), &[]));
        let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 201, "{} {}", both.0.body, both.1.body);
        assert!(statuses[1] == 401 || statuses[1] == 409, "{statuses:?}");
        let first = if both.0.status == 201 { both.0 } else { both.1 };
        let admin = first.json()["value"].as_str().unwrap().to_owned();
        assert_eq!(world.call(&admin, "GET", "/whoami", None, &[]).await.json()["role"], "admin");
        let late = world.call("", "POST", "/bootstrap", Some(body), &[]).await.status.as_u16();
        assert!(late == 401 || late == 409, "{late}");
        let log = world.call(&admin, "GET", "/audit?limit=1", None, &[]).await.json();
        assert_eq!(log["items"][0]["action"], "bootstrap", "{log}");
        assert!(world.kiwi.offer_bootstrap().await.unwrap().is_none(), "there is an admin");
        let own = world.call(&admin, "GET", "/whoami", None, &[]).await.json()["name"].as_str().unwrap().to_owned();
        let refused = world.call(&admin, "DELETE", &format!("/users/{own}"), None, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.json()["hint"].as_str()), (409, Some("make another admin first")));
    }
}

#[tokio::test]
async fn guessing_is_slowed() {
    let world = common::memory().await;
    let from = async |address: [u8; 4], token: &str| {
        let mut request = request(token, "GET", "/whoami", None, &[]);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 4711))));
        world.send(request).await
    };
    let id = kiwi_core::token::TokenText::parse(&world.admin).unwrap().id().clone();
    let guess = || kiwi_core::token::TokenText::generate(id.clone()).into_secret().expose_secret().to_owned();
    for _ in 0..10 {
        assert_eq!(from([192, 0, 2, 1], &guess()).await.status, 401);
    }
    let slowed = from([192, 0, 2, 1], &guess()).await;
    assert_eq!(slowed.status, 429);
    assert!(slowed.header("retry-after").parse::<u64>().unwrap() <= 61);
    // Whoever guesses at a token does not lock its owner out.
    assert_eq!(from([192, 0, 2, 2], &world.admin).await.status, 200);
}

#[tokio::test]
async fn another_organization_s_things_are_not_there() {
    for world in worlds().await {
        let stranger = Actor { organization: "other".parse().unwrap(), ..Actor::local_admin() };
        let theirs = "theirs".parse().unwrap();
        let request = kiwi_core::domain::RunRequest::Build { commit: None, branch: None };
        let run = world.kiwi.request(&stranger, &theirs, EnvironmentName::Development, request).await.unwrap();
        let token = world.token("other", "eve", Role::Admin, Scope::Admin).await;
        assert_eq!(world.call(&token, "GET", &format!("/runs/{}", run.id), None, &[]).await.status, 200);
        let made = world.call(&token, "POST", "/tokens", Some(json!({ "name": "x", "scopes": ["read"] })), &[]).await.json();
        let made = made["token"]["id"].as_str().unwrap().to_owned();
        let in_theirs = "/services/theirs/environments/development";
        for (method, path, body) in [
            ("GET", "/services/theirs".to_owned(), None),
            ("DELETE", "/services/theirs".to_owned(), None),
            ("POST", "/services/theirs/runs".to_owned(), Some(json!({ "kind": "build" }))),
            ("GET", in_theirs.to_owned(), None),
            ("PUT", in_theirs.to_owned(), Some(json!({}))),
            ("GET", format!("{in_theirs}/status"), None),
            ("GET", format!("{in_theirs}/logs"), None),
            ("GET", format!("{in_theirs}/deployments"), None),
            ("GET", format!("/runs/{}", run.id), None),
            ("GET", format!("/runs/{}/events", run.id), None),
            ("POST", format!("/runs/{}/cancel", run.id), None),
            ("GET", format!("/tokens/{made}"), None),
            ("DELETE", format!("/tokens/{made}"), None),
            ("GET", "/users/eve".to_owned(), None),
        ] {
            let answer = world.call(&world.admin, method, &path, body, &[]).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
        }
        for list in ["/services", "/runs", "/tokens?all=true", "/users"] {
            let body = world.get(list).await.body;
            assert!(!body.contains("theirs") && !body.contains(run.id.as_str()) && !body.contains(&made) && !body.contains("eve"), "{list}: {body}");
        }
    }
}

#[tokio::test]
async fn problems_say_kind_cause_and_hint() {
    let world = common::memory().await;
    let missing = world.get("/services/nothing").await;
    assert_eq!((missing.status.as_u16(), missing.header("content-type")), (404, "application/problem+json"));
    assert_eq!(missing.json()["type"], "urn:kiwi:problem:not_found");
    assert_eq!(missing.json()["detail"], "there is no service called nothing");
    assert!(missing.json()["hint"].as_str().unwrap().contains("list"));
    assert!((8..=64).contains(&missing.header("x-request-id").len()));
    for (method, path, body, status) in [
        ("GET", "/services/NOT A NAME".replace(' ', "%20"), None, 400),
        ("GET", "/runs/x".to_owned(), None, 400),
        ("GET", "/services?limit=0".to_owned(), None, 400),
        ("GET", "/services?limit=x".to_owned(), None, 400),
        ("POST", "/services".to_owned(), Some(json!({ "name": "x" })), 400),
        ("POST", "/services".to_owned(), None, 415),
        ("PATCH", "/services".to_owned(), None, 405),
        ("GET", "/nothing".to_owned(), None, 404),
    ] {
        let answer = world.call(&world.admin, method, &path, body, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
    }
    let large = json!({ "url": "x".repeat(2 << 20) });
    assert_eq!(world.call(&world.admin, "POST", "/sources/check", Some(large), &[]).await.status, 413);
}

#[tokio::test]
async fn pages_join_to_the_whole_list() {
    for world in worlds().await {
        for number in 0..5 {
            world.kiwi.register(&Actor::local_admin(), new_service(&format!("s{number}"))).await.unwrap();
            let body = Some(json!({ "kind": "build" }));
            assert_eq!(world.call(&world.admin, "POST", "/services/shop/runs", body, &[]).await.status, 202);
        }
        for (list, key, count) in [("/services?limit=2", "name", 6), ("/runs?service=shop&limit=2", "id", 5), ("/audit?limit=2", "id", 5)] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = world.get(&format!("{list}{cursor}")).await.json();
                assert!(page["items"].as_array().unwrap().len() <= 2);
                seen.extend(page["items"].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen.len(), count, "{list}: {seen:?}");
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), count, "{list}: nothing is there twice");
        }
    }
}

#[tokio::test]
async fn tags_save_reading_and_keep_changes_apart() {
    for world in worlds().await {
        let path = "/services/shop/environments/development";
        let first = world.get(path).await;
        let tag = first.header("etag").to_owned();
        let same = world.call(&world.admin, "GET", path, None, &[("if-none-match", &tag)]).await;
        assert_eq!((same.status.as_u16(), same.body.as_str()), (304, ""));
        let change = |value: &str| Some(json!({ "variables": { "A": { "plain": value } } }));
        assert_eq!(world.call(&world.admin, "PUT", path, change("1"), &[("if-match", &tag)]).await.status, 200);
        let late = world.call(&world.admin, "PUT", path, change("2"), &[("if-match", &tag)]).await;
        assert_eq!((late.status.as_u16(), late.json()["code"].as_str()), (412, Some("conflict")));
        assert_eq!(world.get(path).await.json()["variables"]["A"]["plain"], "1");

        let service = world.get("/services/shop").await;
        let mut form = json!({ "containers": service.json()["containers"], "runtime": "local", "drain_seconds": 31, "stop_seconds": 10, "start_seconds": 60 });
        let changed = world.call(&world.admin, "PUT", "/services/shop", Some(form.clone()), &[("if-match", service.header("etag"))]).await;
        assert_eq!((changed.status.as_u16(), changed.json()["drain_seconds"].as_u64()), (200, Some(31)));
        assert_eq!(world.call(&world.admin, "PUT", "/services/shop", Some(form.clone()), &[("if-match", service.header("etag"))]).await.status, 412);
        assert_eq!(world.call(&world.admin, "DELETE", "/services/shop", None, &[("if-match", service.header("etag"))]).await.status, 412);
        // A tag is asked of everything that can be changed; what has none cannot have this one.
        for (method, path, body) in [
            ("DELETE", "/services/shop/ci", None),
            ("PUT", "/services/shop/build-secrets", Some(json!({ "secrets": { "A": "b" } }))),
            ("PUT", "/services/shop/environments/development/gate", Some(json!({ "failOn": "low" }))),
            ("DELETE", "/services/shop/environments/development/gate", None),
            ("DELETE", "/users/ada", None),
            ("DELETE", "/runtimes/local", None),
            ("DELETE", "/registries/nothing", None),
            ("DELETE", "/providers/github", None),
        ] {
            let answer = world.call(&world.admin, method, path, body, &[("if-match", "\"bogus\"")]).await;
            assert!(answer.status == 412 || answer.status == 404, "{method} {path}: {} {}", answer.status, answer.body);
        }
        // Nobody names a secret that is not the service's.
        form["build"] = json!({ "secrets": { "TOKEN": "01arz3ndektsv4rrffq69g5fav" } });
        assert_eq!(world.call(&world.admin, "PUT", "/services/shop", Some(form), &[]).await.status, 400);
    }
}

#[tokio::test]
async fn a_key_makes_a_thing_once() {
    for world in worlds().await {
        let body = || Some(json!({ "name": "ci", "scopes": ["read"] }));
        let key = [("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324")];
        let first = world.call(&world.admin, "POST", "/tokens", body(), &key).await;
        let again = world.call(&world.admin, "POST", "/tokens", body(), &key).await;
        assert_eq!((first.status, again.status), (again.status, first.status));
        assert_eq!((first.body.as_str(), first.header("location")), (again.body.as_str(), again.header("location")));
        assert_eq!(again.header("idempotent-replay"), "true");
        let other = world.call(&world.admin, "POST", "/tokens", Some(json!({ "name": "other", "scopes": ["read"] })), &key).await;
        assert_eq!(other.status, 400, "{}", other.body);
        let count = world.get("/tokens").await.json()["items"].as_array().unwrap().len();
        assert_eq!(count, 2, "ada's own and the new one");
        // What failed may be tried again, and another person's key is another key.
        let key = [("idempotency-key", "again")];
        let missing = json!({ "user": "nobody", "name": "x", "scopes": ["read"] });
        assert_eq!(world.call(&world.admin, "POST", "/tokens", Some(missing), &key).await.status, 404);
        assert_eq!(world.call(&world.admin, "POST", "/tokens", body(), &key).await.status, 201);
        let grace = world.token("default", "grace", Role::Admin, Scope::Admin).await;
        let hers = world.call(&grace, "POST", "/tokens", body(), &key).await;
        assert_eq!((hers.status.as_u16(), hers.header("idempotent-replay")), (201, ""));
        // What one token was answered is not for a narrower one of the same person.
        let narrow = world.token("default", "grace", Role::Admin, Scope::Read).await;
        let refused = world.call(&narrow, "POST", "/tokens", body(), &key).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
}

#[tokio::test]
async fn what_is_misspelt_is_refused() {
    for world in worlds().await {
        let run = json!({ "kind": "build", "enviroment": "production" });
        let refused = world.call(&world.admin, "POST", "/services/shop/runs", Some(run), &[]).await;
        assert!(refused.status == 400 && refused.body.contains("enviroment"), "{}", refused.body);
        let ci = json!({ "watchh": ["/x"] });
        assert_eq!(world.call(&world.admin, "PUT", "/services/shop/ci", Some(ci), &[]).await.status, 400);
        assert_eq!(world.get("/audit?actor=%00").await.status, 400);
        let user = json!({ "name": "eve", "email": "eve@example.com", "full_name": "a\u{1b}[2J", "role": { "member": { "service": false } } });
        assert_eq!(world.call(&world.admin, "POST", "/users", Some(user), &[]).await.status, 400);
    }
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_without_a_secret() {
    for world in worlds().await {
        let secret = json!({ "secrets": { "TOKEN": "s3cret-value" } });
        world.call(&world.admin, "PUT", "/services/shop/build-secrets", Some(secret), &[]).await;
        let member = world.token("default", "max", Role::Member { service: false }, Scope::Admin).await;
        world.call(&member, "DELETE", "/services/shop", None, &[]).await;
        let log = world.get("/audit").await;
        let items = log.json()["items"].clone();
        assert_eq!((&items[0]["actor"], &items[0]["action"], &items[0]["outcome"]), (&json!("max"), &json!("remove_service"), &json!("failed")));
        assert_eq!((&items[0]["cause"], &items[0]["resource"]), (&json!("forbidden"), &json!("services/shop")));
        assert_eq!((&items[1]["actor"], &items[1]["action"], &items[1]["outcome"]), (&json!("ada"), &json!("set_build_secrets"), &json!("done")));
        assert!(!log.body.contains("s3cret-value"));
        // What was made is named, once, also when its answer was asked for again, and when nobody waited for it.
        let key = [("idempotency-key", "one")];
        let body = || Some(json!({ "name": "ci", "scopes": ["read"] }));
        let made = world.call(&world.admin, "POST", "/tokens", body(), &key).await;
        world.call(&world.admin, "POST", "/tokens", body(), &key).await;
        let items = world.get("/audit").await.json()["items"].clone();
        assert_eq!(json!(format!("tokens/{}", made.json()["token"]["id"].as_str().unwrap())), items[0]["resource"]);
        assert_eq!((&items[0]["action"], &items[1]["action"]), (&json!("create_token"), &json!("remove_service")));
        for number in 0..20 {
            let form = json!({ "name": format!("left-{number}"), "email": "a@example.com", "role": { "member": { "service": false } } });
            let call = world.router.clone().oneshot(request(&world.admin, "POST", "/users", Some(form), &[]));
            drop(tokio::time::timeout(Duration::from_micros(50 * number), call).await);
        }
        world.state.finish().await;
        let count = |value: &Value| value["items"].as_array().unwrap().iter().filter(|item| item.to_string().contains("left-")).count();
        let (users, log) = (world.get("/users?limit=100").await.json(), world.get("/audit?limit=100").await.json());
        assert_eq!(count(&users), count(&log), "{log}");
        assert_eq!(world.get("/audit?actor=max").await.json()["items"].as_array().unwrap().len(), 1);
    }
}

/// Reads a stream until `enough` says so, and answers the ids and the events.
async fn follow(world: &common::World, path: &str, last: Option<&str>, enough: impl Fn(&[(String, Value)]) -> bool) -> Vec<(String, Value)> {
    let mut headers = vec![("accept", "text/event-stream")];
    headers.extend(last.map(|last| ("last-event-id", last)));
    let response = world.router.clone().oneshot(request(&world.admin, "GET", path, None, &headers)).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = Body::into_data_stream(response.into_body());
    let (mut text, mut seen) = (String::new(), Vec::new());
    while let Some(chunk) = body.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        while let Some((block, rest)) = text.split_once("\n\n") {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
            if let Ok(data) = serde_json::from_str(&field("data:")) {
                seen.push((field("id:"), data));
            }
            text = rest.to_owned();
            if enough(&seen) {
                return seen;
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_comes_again_misses_nothing_and_sees_nothing_twice() {
    for world in worlds().await {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let worker = tokio::spawn({
            let kiwi = world.kiwi.clone();
            async move { kiwi.serve(kiwi_core::pipeline::ServerOptions::default(), async { drop(stopped.await) }).await }
        });
        let made = world.call(&world.admin, "POST", "/services/shop/runs", Some(json!({ "kind": "pipeline" })), &[]).await;
        assert_eq!(made.status, 202);
        let path = made.header("location").trim_start_matches("/api/v1").to_owned() + "/events";
        let mut all = follow(&world, &path, None, |seen| seen.len() == 3).await;
        let last = all.last().unwrap().0.clone();
        all.extend(follow(&world, &path, Some(&last), |_| false).await);
        let ids: Vec<u64> = all.iter().map(|(id, _)| id.parse().unwrap()).collect();
        assert_eq!(ids, (0..ids.len() as u64).collect::<Vec<_>>());
        assert_eq!(all.last().unwrap().1["event"], "finished");
        let whole = follow(&world, &path, None, |_| false).await;
        assert_eq!(whole, all);
        assert_eq!(world.get(&path).await.json().as_array().unwrap().len(), all.len());

        // The status comes at once, and again only when it changed.
        let status = "/services/shop/environments/development/status";
        let first = follow(&world, status, None, |seen| seen.len() == 1).await;
        let again = tokio::time::timeout(Duration::from_millis(300), follow(&world, status, Some(&first[0].0), |seen| !seen.is_empty())).await;
        assert!(again.is_err(), "nothing changed");

        drop(stop);
        worker.await.unwrap();
    }
}

#[tokio::test]
async fn probes_and_counters_need_no_token() {
    let world = common::memory().await;
    for (path, text) in [
        ("/healthz", "ok"),
        ("/readyz", "ready"),
        ("/metrics", "kiwi_queue_length 0"),
        ("/api/v1/docs", "Kiwi API"),
        ("/api/v1/openapi.json", "\"openapi\":\"3.1"),
    ] {
        let answer = world.send(axum::http::Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.contains(text), "{path}: {}", answer.body);
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn pages_of_named_origins_may_ask_and_no_others() {
    let mut world = common::memory().await;
    let preflight = |origin: &'static str| [("origin", origin), ("access-control-request-method", "POST"), ("access-control-request-headers", "authorization")];
    // Nobody is named, so nobody is answered, whatever they say.
    let answer = world.call("", "OPTIONS", "/services", None, &preflight("https://console.example.com")).await;
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", answer.headers);

    let mut config = HttpConfig::default();
    config.origins = vec!["https://console.example.com".parse().unwrap()];
    world.router = router(HttpState::new(world.kiwi.clone(), config));
    let answer = world.call("", "OPTIONS", "/services", None, &preflight("https://console.example.com")).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, "https://console.example.com"));
    assert!(answer.header("access-control-allow-methods").contains("POST") && answer.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let answer = world.call(&world.admin, "GET", "/services", None, &[("origin", "https://console.example.com")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, "https://console.example.com"));
    let answer = world.call("", "OPTIONS", "/services", None, &preflight("https://evil.example.com")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    // A refusal is read by the page as well.
    let answer = world.call("wrong", "GET", "/services", None, &[("origin", "https://console.example.com")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (401, "https://console.example.com"));
}
