//! GitLab's side.

use super::{Asked, Memory, Repository, Shared, json, with};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json as value};

pub(super) fn answer(shared: &Shared, asked: &Asked) -> Response {
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["gitlab", "api", "v4", segments @ ..] => route(shared, asked, segments),
        _ => axum::response::Html("<!doctype html><title>Sign in</title>").into_response(),
    }
}

fn missing(what: &str) -> Response {
    json(404, value!({ "message": format!("404 {what} Not Found") }))
}

fn shown(shared: &Shared, asked: &Asked, repository: &Repository) -> Value {
    let level = if repository.foreign { 10 } else { 40 };
    value!({
        "id": repository.id, "path_with_namespace": repository.path, "http_url_to_repo": shared.clone_url(asked, &repository.path), "archived": repository.archived,
        "default_branch": if repository.branches.is_empty() { Value::Null } else { value!("main") }, "empty_repo": repository.branches.is_empty(),
        "permissions": { "project_access": { "access_level": level }, "group_access": null }, "visibility": "something new"
    })
}

/// A page by key, as GitLab does for long lists: no totals, a link to what follows the last id, and the host's own idea of its name.
fn by_key(asked: &Asked, mut items: Vec<Value>) -> Response {
    let size: usize = asked.query.get("per_page").and_then(|text| text.parse().ok()).unwrap_or(20);
    if let Some(before) = asked.query.get("id_before").and_then(|text| text.parse::<u64>().ok()) {
        items.retain(|item| item["id"].as_u64().is_some_and(|id| id < before));
    }
    let more = items.len() > size;
    items.truncate(size);
    let last = items.iter().rev().find_map(|item| item["id"].as_u64());
    let response = json(200, Value::Array(items));
    match last.filter(|_| more) {
        Some(last) => {
            let kept: String = asked.query.iter().filter(|(name, _)| *name != "id_before").map(|(name, value)| format!("&{name}={value}")).collect();
            with(response, &[("link", format!("<https://gitlab.internal/{}?id_before={last}{kept}>; rel=\"next\"", asked.segments.join("/")))])
        }
        None => response,
    }
}

/// A page by number, from a server whose proxy drops `Link`.
fn by_number(asked: &Asked, items: Vec<Value>) -> Response {
    let number = |name: &str, otherwise: usize| asked.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (size, page) = (number("per_page", 20), number("page", 1));
    let next = if items.len() > size * page { (page + 1).to_string() } else { String::new() };
    let items = items.into_iter().skip(size * (page - 1)).take(size).collect();
    with(json(200, Value::Array(items)), &[("x-next-page", next), ("x-page", page.to_string())])
}

fn route(shared: &Shared, asked: &Asked, segments: &[&str]) -> Response {
    let get = asked.method == Method::GET;
    match segments {
        ["user"] if get => json(200, value!({ "id": 1, "username": "ada", "is_admin": shared.memory().admin, "state": "active" })),
        ["personal_access_tokens", "self"] if get => {
            let memory = shared.memory();
            json(200, value!({ "id": 1, "scopes": memory.scopes, "expires_at": memory.expires, "active": true }))
        }
        ["namespaces"] if get => {
            let memory = shared.memory();
            let groups = memory.groups.iter().enumerate().map(|(index, group)| value!({ "id": index + 10, "full_path": group, "kind": "group" }));
            by_number(asked, std::iter::once(value!({ "id": 1, "full_path": "ada", "kind": "user" })).chain(groups).collect())
        }
        ["namespaces", path] if get => match namespaces(&shared.memory()).into_iter().find(|(_, found)| found == path) {
            Some((id, path)) => json(200, value!({ "id": id, "full_path": path, "kind": "group" })),
            None => missing("Namespace"),
        },
        ["groups"] if get => {
            by_number(asked, namespaces(&shared.memory()).into_iter().skip(1).map(|(id, path)| value!({ "id": id, "full_path": path })).collect())
        }
        ["projects"] if get => {
            let memory = shared.memory();
            let wanted = asked.query.get("search").map(|text| text.to_lowercase());
            let fits = |repository: &&Repository| wanted.as_ref().is_none_or(|wanted| repository.path.to_lowercase().contains(wanted));
            let mut items: Vec<Value> = memory.repositories.values().rev().filter(fits).map(|repository| shown(shared, asked, repository)).collect();
            items.insert(items.len().min(1), value!({ "path_with_namespace": 7 }));
            by_key(asked, items)
        }
        ["projects"] => create(shared, asked),
        ["projects", project, rest @ ..] => {
            let mut memory = shared.memory();
            let id = project.parse().ok().filter(|id| memory.repositories.contains_key(id)).or_else(|| memory.by_path(project).map(|repository| repository.id));
            match (id, memory.renamed.get(*project)) {
                (Some(id), _) => within(shared, asked, &mut memory, id, rest),
                (None, Some(id)) => with(json(301, value!({ "message": "301 Moved" })), &[("location", format!("{}/gitlab/api/v4/projects/{id}", asked.base))]),
                (None, None) => missing("Project"),
            }
        }
        ["users"] if get => {
            let memory = shared.memory();
            let name = asked.query.get("username").cloned().unwrap_or_default();
            let found = memory.accounts.iter().filter(|account| account["username"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(&name)));
            json(200, Value::Array(found.cloned().collect()))
        }
        ["users"] => account(&mut shared.memory(), &asked.body),
        _ => missing("Endpoint"),
    }
}

/// What the host keeps of a webhook, and whether it will sign.
fn kept(asked: &Asked, unsigned: bool) -> (Value, bool) {
    let mut body = asked.body.clone();
    if unsigned && let Some(fields) = body.as_object_mut() {
        fields.remove("signing_token");
    }
    let signs = body.get("signing_token").is_some();
    (body, signs)
}

fn namespaces(memory: &Memory) -> Vec<(u64, String)> {
    let names = std::iter::once("ada".to_owned()).chain(memory.groups.iter().cloned());
    names.zip(1..).map(|(path, id)| (id, path)).collect()
}

fn account(memory: &mut Memory, body: &Value) -> Response {
    if !memory.admin {
        return json(403, value!({ "message": "403 Forbidden" }));
    }
    let same = |key: &str| memory.accounts.iter().any(|account| account[key].as_str().map(str::to_lowercase) == body[key].as_str().map(str::to_lowercase));
    if same("email") {
        return json(409, value!({ "message": "Email has already been taken" }));
    }
    if same("username") {
        return json(409, value!({ "message": "Username has already been taken" }));
    }
    if body["password"].is_null() && body["reset_password"].is_null() && body["force_random_password"].is_null() {
        return json(400, value!({ "error": "password, reset_password, force_random_password are missing, at least one parameter must be provided" }));
    }
    memory.accounts.push(body.clone());
    json(201, value!({ "id": memory.accounts.len(), "username": body["username"], "state": "active" }))
}

fn create(shared: &Shared, asked: &Asked) -> Response {
    let owner = namespaces(&shared.memory()).into_iter().find(|(id, _)| Some(*id) == asked.body["namespace_id"].as_u64());
    let Some((_, owner)) = owner else { return missing("Namespace") };
    let path = format!("{owner}/{}", asked.body["path"].as_str().unwrap_or_default());
    if shared.memory().by_path(&path).is_some() {
        return json(400, value!({ "message": { "name": ["has already been taken"], "path": ["has already been taken"] } }));
    }
    assert_eq!(asked.body["initialize_with_readme"], value!(true));
    let id = shared.add(&path);
    let memory = shared.memory();
    json(201, shown(shared, asked, &memory.repositories[&id]))
}

fn within(shared: &Shared, asked: &Asked, memory: &mut Memory, id: u64, rest: &[&str]) -> Response {
    let (get, unsigned) = (asked.method == Method::GET, memory.unsigned);
    if let ["repository", "branches", branch] = rest {
        if memory.slow_branches > 0 {
            memory.slow_branches -= 1;
            return missing("Branch");
        }
        return match memory.repositories[&id].branches.get(*branch) {
            Some(commit) => json(200, value!({ "name": branch, "commit": { "id": commit } })),
            None => missing("Branch"),
        };
    }
    memory.next += 1;
    let new = memory.next;
    let Some(repository) = memory.repositories.get_mut(&id) else { return missing("Project") };
    match rest {
        [] if get => json(200, shown(shared, asked, repository)),
        ["repository", "branches"] if get => by_number(
            asked,
            repository.branches.iter().map(|(name, commit)| value!({ "name": name, "commit": { "id": commit }, "default": name == "main" })).collect(),
        ),
        ["repository", "compare"] if get => {
            let known = ["from", "to"]
                .iter()
                .all(|key| asked.query.get(*key).is_some_and(|commit| repository.branches.values().any(|found| found == commit) || commit.starts_with("aaaa")));
            if !known {
                return missing("Ref");
            }
            json(
                200,
                value!({ "compare_timeout": false, "diffs": [{ "old_path": "old.rs", "new_path": "new.rs" }, { "old_path": "src/main.rs", "new_path": "src/main.rs" }] }),
            )
        }
        ["hooks"] if get => by_number(asked, repository.hooks.iter().map(|(id, hook)| value!({ "id": id, "url": hook["url"], "push_events": true })).collect()),
        ["hooks"] => {
            let (kept, signs) = kept(asked, unsigned);
            repository.hooks.insert(new, kept);
            json(201, value!({ "id": new, "signing_token_present": signs }))
        }
        ["hooks", hook] if asked.method == Method::DELETE => match repository.hooks.remove(&hook.parse().unwrap_or(0)) {
            Some(_) => (axum::http::StatusCode::NO_CONTENT, "").into_response(),
            None => missing("Hook"),
        },
        ["hooks", hook] => {
            let (kept, signs) = kept(asked, unsigned);
            repository.hooks.insert(hook.parse().unwrap_or(0), kept);
            json(200, value!({ "id": hook, "signing_token_present": signs }))
        }
        ["statuses", commit] if !get => {
            let state = asked.body["state"].as_str().unwrap_or_default().to_owned();
            if repository.statuses.last() == Some(&((*commit).to_owned(), state.clone())) {
                return json(400, value!({ "message": format!("Cannot transition status via :enqueue from :{state}") }));
            }
            repository.statuses.push(((*commit).to_owned(), state.clone()));
            json(201, value!({ "id": new, "status": state }))
        }
        _ => missing("Endpoint"),
    }
}
