//! GitHub's side.

use super::{Asked, Memory, Repository, Shared, json, with};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json as value};

pub(super) fn answer(shared: &Shared, asked: &Asked) -> Response {
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    let ["api", "v3", segments @ ..] = segments.as_slice() else {
        return axum::response::Html("<!doctype html><title>Not Found</title>").into_response();
    };
    let response = route(shared, asked, segments);
    let memory = shared.memory();
    let mut headers = vec![("x-ratelimit-remaining", "4999".to_owned())];
    if !memory.fine_grained {
        headers.push(("x-oauth-scopes", memory.scopes.join(", ")));
    }
    headers.extend(memory.expires.clone().map(|time| ("github-authentication-token-expiration", time)));
    with(response, &headers)
}

fn missing() -> Response {
    json(404, value!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest" }))
}

fn shown(shared: &Shared, asked: &Asked, repository: &Repository) -> Value {
    value!({
        "id": repository.id, "full_name": repository.path, "name": repository.path.rsplit('/').next(), "private": true, "archived": repository.archived,
        "clone_url": shared.clone_url(asked, &repository.path), "default_branch": if repository.branches.is_empty() { Value::Null } else { value!("main") },
        "permissions": { "admin": !repository.foreign, "push": !repository.foreign, "pull": true }, "something_new": { "x": [1, 2] }
    })
}

/// A page, with links as GitHub writes them.
fn page(asked: &Asked, items: Vec<Value>) -> Response {
    let number = |name: &str, otherwise: usize| asked.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (size, page) = (number("per_page", 30), number("page", 1));
    let more = items.len() > size * page;
    let items: Vec<Value> = items.into_iter().skip(size * (page - 1)).take(size).collect();
    let response = json(200, Value::Array(items));
    if !more {
        return response;
    }
    let link =
        format!("<{}/{}?per_page={size}&page={}>; rel=\"next\", <{}/x?page=9>; rel=\"last\"", asked.base, asked.segments.join("/"), page + 1, asked.base);
    with(response, &[("link", link)])
}

fn route(shared: &Shared, asked: &Asked, segments: &[&str]) -> Response {
    let get = asked.method == Method::GET;
    match segments {
        ["user"] if get => json(200, value!({ "login": "ada", "id": 1, "type": "User" })),
        ["rate_limit"] if get => json(200, value!({ "resources": {} })),
        ["user", "orgs"] if get => {
            let groups = shared.memory().groups.clone();
            page(
                asked,
                groups.iter().filter(|group| !group.contains('/')).enumerate().map(|(index, group)| value!({ "id": index + 10, "login": group })).collect(),
            )
        }
        ["user", "repos"] if get => {
            let memory = shared.memory();
            let mut items: Vec<Value> = memory.repositories.values().map(|repository| shown(shared, asked, repository)).collect();
            // One strange item must not fail a list.
            items.insert(items.len().min(1), value!({ "id": "not a number" }));
            page(asked, items)
        }
        ["user", "repos"] => create(shared, asked, "ada"),
        ["orgs", owner, "repos"] if !get => {
            if shared.memory().groups.iter().any(|group| group == owner) {
                create(shared, asked, owner)
            } else {
                missing()
            }
        }
        ["repositories", id, rest @ ..] => {
            let mut memory = shared.memory();
            match id.parse().ok().filter(|id| memory.repositories.contains_key(id)) {
                Some(id) => within(shared, asked, &mut memory, id, rest),
                None => missing(),
            }
        }
        ["repos", owner, name, rest @ ..] => {
            let path = format!("{owner}/{name}");
            let mut memory = shared.memory();
            let Some(id) = memory.by_path(&path).map(|repository| repository.id) else {
                return match memory.renamed.get(&path) {
                    Some(id) => {
                        let rest: String = rest.iter().map(|segment| format!("/{segment}")).collect();
                        let location = format!("{}/api/v3/repositories/{id}{rest}", asked.base);
                        with(json(if get { 301 } else { 307 }, value!({ "message": "Moved Permanently", "url": location })), &[("location", location.clone())])
                    }
                    None => missing(),
                };
            };
            within(shared, asked, &mut memory, id, rest)
        }
        _ => missing(),
    }
}

fn create(shared: &Shared, asked: &Asked, owner: &str) -> Response {
    let path = format!("{owner}/{}", asked.body["name"].as_str().unwrap_or_default());
    if shared.memory().by_path(&path).is_some() {
        let error = value!({ "resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account" });
        return json(422, value!({ "message": "Repository creation failed.", "errors": [error] }));
    }
    let id = shared.add(&path);
    let memory = shared.memory();
    json(201, shown(shared, asked, &memory.repositories[&id]))
}

fn within(shared: &Shared, asked: &Asked, memory: &mut Memory, id: u64, rest: &[&str]) -> Response {
    let get = asked.method == Method::GET;
    if let ["branches", branch] = rest {
        if memory.slow_branches > 0 {
            memory.slow_branches -= 1;
            return missing();
        }
        return match memory.repositories[&id].branches.get(*branch) {
            Some(commit) => json(200, value!({ "name": branch, "commit": { "sha": commit }, "protected": false })),
            None => missing(),
        };
    }
    memory.next += 1;
    let new = memory.next;
    let Some(repository) = memory.repositories.get_mut(&id) else { return missing() };
    match rest {
        [] if get => json(200, shown(shared, asked, repository)),
        ["branches"] if get => {
            page(asked, repository.branches.iter().map(|(name, commit)| value!({ "name": name, "commit": { "sha": commit }, "protected": false })).collect())
        }
        ["compare", range] if get => {
            let known = range.split("...").all(|commit| repository.branches.values().any(|found| found == commit) || commit.starts_with("aaaa"));
            if !known {
                return missing();
            }
            json(200, value!({ "files": [{ "filename": "new.rs", "previous_filename": "old.rs", "status": "renamed" }, { "filename": "src/main.rs" }] }))
        }
        ["hooks"] if get => {
            let hooks = repository.hooks.iter().map(|(id, hook)| {
                value!({ "id": id, "active": true, "events": hook["events"], "config": { "url": hook["config"]["url"], "content_type": hook["config"]["content_type"], "secret": "********" } })
            });
            page(asked, hooks.collect())
        }
        ["hooks"] => {
            repository.hooks.insert(new, asked.body.clone());
            json(201, value!({ "id": new }))
        }
        ["hooks", hook] if asked.method == Method::DELETE => match repository.hooks.remove(&hook.parse().unwrap_or(0)) {
            Some(_) => (axum::http::StatusCode::NO_CONTENT, "").into_response(),
            None => missing(),
        },
        ["hooks", hook] => {
            repository.hooks.insert(hook.parse().unwrap_or(0), asked.body.clone());
            json(200, value!({ "id": hook }))
        }
        ["statuses", commit] if !get => {
            repository.statuses.push(((*commit).to_owned(), asked.body["state"].as_str().unwrap_or_default().to_owned()));
            json(201, value!({ "id": new, "state": asked.body["state"] }))
        }
        ["commits", ..] if get => json(200, value!([])),
        _ => missing(),
    }
}
