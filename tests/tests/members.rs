//! An admin sets up the organization's git hosts; members register, create and deliver with them, and never see a token.

use kiwi_core::domain::GitProviderKind;
use kiwi_tests::command::{Finished, Kiwi, unique};
use kiwi_tests::fake::{FakeHost, Fault, TOKEN};
use kiwi_tests::git::GitHost;
use kiwi_tests::sample;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn member(kiwi: &Kiwi, arguments: &[&str]) -> Finished {
    let arguments: Vec<&str> = ["--as-role", "member"].iter().chain(arguments).copied().collect();
    clean(kiwi.run(&arguments))
}

/// No output ever shows the token.
fn clean(finished: Finished) -> Finished {
    assert!(!finished.out.contains(TOKEN) && !finished.err.contains(TOKEN), "{finished:?}");
    finished
}

fn set_up(kiwi: &Kiwi, kind: &str, host: &FakeHost) {
    let url = host.url().to_string();
    let set = clean(kiwi.run_with(&["-vv", "provider", "set", kind, "--url", &url, "--token-stdin", "-o", "json"], TOKEN)).ok();
    assert_eq!(set.json()["token"]["account"], "ada");
}

#[test]
fn members_use_what_an_admin_set_up() {
    let gitlab = FakeHost::start(GitProviderKind::Gitlab, Some(GitHost::start(Some(TOKEN))));
    let github = FakeHost::start(GitProviderKind::Github, Some(GitHost::start(Some(TOKEN))));
    let kiwi = Kiwi::new().with_runtime();
    let alone = member(&kiwi, &["provider", "repositories", "gitlab"]);
    assert!(alone.code == 2 && alone.err.contains("ask your admin to complete GitLab Settings"), "{alone:?}");
    let menu = member(&kiwi, &["provider", "menu", "gitlab", "-o", "json"]).ok().json();
    assert!(menu.as_array().unwrap().iter().all(|entry| entry["reason"] == "ask your admin to complete GitLab Settings"), "{menu}");
    for arguments in [
        ["provider", "check", "gitlab"].as_slice(),
        &["provider", "remove", "gitlab"],
        &["user", "list"],
        &["provider", "create-accounts", "gitlab", "--from-users"],
    ] {
        let refused = member(&kiwi, arguments);
        assert!(refused.code == 1 && refused.err.contains("only an admin may"), "{refused:?}");
    }
    let refused = kiwi.run_with(&["--as-role", "member", "provider", "set", "gitlab", "--token-stdin"], TOKEN);
    assert!(refused.code == 1 && refused.err.contains("only an admin may"), "{refused:?}");
    let wrong = kiwi.run_with(&["provider", "set", "gitlab", "--url", gitlab.url().as_str(), "--token-stdin"], "wrong");
    assert!(wrong.code == 1 && wrong.err.contains("GitLab refused the token"), "{wrong:?}");
    let elsewhere = format!("http://{}", gitlab.address);
    let page = kiwi.run_with(&["provider", "set", "gitlab", "--url", &elsewhere, "--token-stdin"], TOKEN);
    assert!(page.code == 1 && page.err.contains("a web page, not a GitLab API") && page.err.contains("check the URL"), "{page:?}");
    assert_eq!(kiwi.run(&["provider", "list", "-o", "json"]).ok().json(), serde_json::json!([]), "what was refused is not kept");
    set_up(&kiwi, "gitlab", &gitlab);
    set_up(&kiwi, "github", &github);
    let menu = member(&kiwi, &["provider", "menu", "gitlab", "-o", "json"]).ok().json();
    let actions: Vec<_> = menu.as_array().unwrap().iter().map(|entry| (entry["action"].as_str().unwrap(), entry["available"].as_bool().unwrap())).collect();
    assert_eq!(actions, [("register_existing", true), ("create_new", true)]);

    // An existing project, with subgroups, from its list to a running service.
    let (name, path) = (unique("hosted"), "team/sub/shop");
    let repository = gitlab.git().create(path);
    sample::write(repository.folder(), "1");
    let id = gitlab.adopt(path, &repository.push("main"));
    let list = member(&kiwi, &["provider", "repositories", "gitlab", "--search", "sub/sh", "-o", "json"]).ok().json();
    assert_eq!(list[0]["path"], path);
    let branches = member(&kiwi, &["provider", "branches", "gitlab", path, "-o", "json"]).ok().json();
    assert_eq!(branches[0]["name"], "main");
    member(&kiwi, &["service", "register", &name, "--gitlab", path, "--port", "8080", "--health", "/"]).ok();
    let run = member(&kiwi, &["-vv", "run", &name, "-o", "json"]).ok().json();
    assert_eq!(run["status"], "live");
    // The project moves; the service follows it by its id.
    gitlab.rename(id, "team/moved/shop");
    sample::write(repository.folder(), "2");
    kiwi_tests::git::git(repository.folder(), &["remote", "set-url", "origin", gitlab.git().path("team/moved/shop").to_str().unwrap()]);
    let commit = repository.push("main");
    let again = member(&kiwi, &["run", &name, "-o", "json"]).ok().json();
    assert_eq!(again["commit"], commit);
    assert!(member(&kiwi, &["service", "show", &name]).ok().out.contains("team/moved/shop"));
    let used = kiwi.run(&["provider", "remove", "gitlab"]);
    assert!(used.code == 1 && used.err.contains(&format!("service {name} comes from GitLab")), "{used:?}");

    // New ones, created and registered in one step, and again after registering failed.
    for (kind, host, owner) in [("gitlab", &gitlab, "team/sub"), ("github", &github, "team"), ("github", &github, "ada")] {
        let created = unique("created");
        let arguments = ["service", "register", &created, "--create", kind, "--owner", owner, "--repository", &created];
        host.memory().requests.clear();
        let failed = member(&kiwi, &[&arguments[..], &["--runtime", "none"]].concat());
        assert_eq!(failed.code, 2, "{failed:?}");
        let refused = member(&kiwi, &[&arguments[..], &["--health", "/"]].concat());
        assert!(refused.code == 2 && refused.err.contains("no port"), "{refused:?}");
        assert!(!host.memory().requests.iter().any(|request| request.starts_with("POST")), "a repository was made for a service that cannot be");
        host.memory().requests.clear();
        host.memory().faults.push_back(Fault::Answer(500, vec![], String::new()));
        member(&kiwi, &arguments).ok();
        let paths: Vec<_> = host.memory().repositories.values().filter(|found| found.path.ends_with(&created)).map(|found| found.path.clone()).collect();
        assert_eq!(paths, [format!("{owner}/{created}")]);
        member(&kiwi, &["service", "remove", &created]).ok();
        member(&kiwi, &arguments).ok();
        member(&kiwi, &["service", "remove", &created]).ok();
    }

    // A host that plays with the terminal.
    gitlab.memory().groups.push("te\u{1b}[2Jam\u{7}\u{202e}".to_owned());
    let shown = member(&kiwi, &["provider", "namespaces", "gitlab"]).ok();
    assert!(shown.out.contains("team") && !shown.out.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", shown.out);

    // A host whose API names another place for its repositories gets no token there.
    let thief = GitHost::start(None);
    thief.create("team/moved/shop");
    gitlab.clone_from(&format!("http://{}", thief.address));
    let refused = member(&kiwi, &["service", "register", &unique("thief"), "--gitlab", "team/moved/shop"]);
    assert!(refused.code == 1 && refused.err.contains("token goes nowhere else"), "{refused:?}");
    assert_eq!(thief.seen(), Vec::<String>::new());
    // What a host repeats of what it was sent is not shown.
    gitlab.memory().faults.push_back(Fault::Answer(403, vec![], format!("{{\"message\":\"no: Bearer {TOKEN}\"}}")));
    assert_eq!(member(&kiwi, &["provider", "repositories", "gitlab"]).code, 1);

    // The token ends; everybody hears why, and nobody sees it.
    gitlab.memory().revoked = true;
    let ended = member(&kiwi, &["provider", "repositories", "gitlab"]);
    assert!(ended.code == 1 && ended.err.contains("GitLab refused the token"), "{ended:?}");
    gitlab.memory().revoked = false;
    member(&kiwi, &["service", "remove", &name]).ok();
    kiwi.run(&["provider", "remove", "gitlab"]).ok();
    for entry in std::fs::read_dir(kiwi.data()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&entry).unwrap();
        assert!(!bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "the token lies in {}", entry.display());
    }
}

#[test]
fn a_thousand_accounts_of_which_three_fail() {
    let gitlab = FakeHost::start(GitProviderKind::Gitlab, None);
    let kiwi = Kiwi::new();
    set_up(&kiwi, "gitlab", &gitlab);
    let mut csv = String::from("username,email,name\n");
    for index in 0..1000 {
        csv.push_str(&format!("person-{index},person-{index}@example.com,\"Person, {index}\"\n"));
    }
    let file = kiwi.folder().join("accounts.csv");
    std::fs::write(&file, &csv).unwrap();
    for name in ["person-7", "person-500", "person-999"] {
        gitlab.memory().account_faults.insert(name.to_owned(), Fault::Answer(500, vec![], "{\"message\":\"500 Internal Server Error\"}".to_owned()));
    }
    let create = |passwords: &str| {
        let arguments = ["provider", "create-accounts", "gitlab", "--file", file.to_str().unwrap(), "--passwords-file", passwords, "-o", "json"];
        clean(kiwi.run(&arguments))
    };
    let number = |finished: &Finished, outcome: &str| {
        finished.json().as_array().unwrap().iter().filter(|row| row["outcome"].as_str().unwrap_or("failed") == outcome).count()
    };
    let (one, two) = (kiwi.folder().join("one.csv"), kiwi.folder().join("two.csv"));
    let first = create(one.to_str().unwrap());
    assert_eq!((first.code, number(&first, "created"), number(&first, "failed")), (1, 997, 3), "{}", first.err);
    let second = create(two.to_str().unwrap());
    assert_eq!((second.code, number(&second, "created"), number(&second, "exists")), (0, 3, 997), "{}", second.err);
    assert_eq!(gitlab.memory().accounts.len(), 1000);
    println!("FIGURE accounts: 1,000 rows, 3 injected failures, {:.1} s; a second run created exactly 3", first.took.as_secs_f64());
    for (file, lines) in [(&one, 998), (&two, 4)] {
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!((text.lines().count(), std::fs::metadata(file).unwrap().permissions().mode() & 0o777), (lines, 0o600));
        for line in text.lines().skip(1) {
            let (name, password) = line.split_once(',').unwrap();
            let password = password.trim_matches('"');
            let known = gitlab.memory().accounts.iter().any(|account| account["username"] == name && account["password"] == password);
            assert!(known, "the file has another password than {name} got");
            assert!(!first.out.contains(password) && !first.err.contains(password) && !second.out.contains(password) && !second.err.contains(password));
        }
    }
    let again = create(one.to_str().unwrap());
    assert!(again.code == 2 && again.err.contains("cannot be made"), "a file that is there is not touched: {again:?}");
    let weak = kiwi.folder().join("weak.csv");
    std::fs::write(
        &weak,
        "username,email,name,password\nada-l,ada@example.com,Ada,short\nada-l2,ada2@example.com,Ada,correct horse 9\nADA-L2,ada3@example.com,Ada,\n",
    )
    .unwrap();
    let judged = clean(kiwi.run(&["provider", "create-accounts", "gitlab", "--file", weak.to_str().unwrap(), "-o", "json"]));
    assert_eq!(judged.code, 1);
    assert!(
        judged.err.contains("line 2: the password has fewer than 8 characters") && judged.err.contains("line 4: the user name is in line 3 already"),
        "{}",
        judged.err
    );
    assert!(!judged.out.contains("correct horse") && !judged.err.contains("correct horse"));
    // The organization's own people, of whom none has an account yet.
    kiwi.run(&["user", "add", "grace", "--email", "grace@example.com", "--full-name", "Grace Hopper", "--service"]).ok();
    clean(kiwi.run(&["provider", "create-accounts", "gitlab", "--from-users"])).ok();
    let grace = gitlab.memory().accounts.iter().find(|account| account["username"] == "grace").cloned().unwrap();
    assert!(grace["reset_password"] == true && grace["password"].is_null(), "{grace}");
    // A token that may not do it stops at once, instead of failing a thousand times.
    gitlab.memory().admin = false;
    let asked = gitlab.memory().requests.len();
    let more = kiwi.folder().join("more.csv");
    std::fs::write(&more, csv.replace("person-", "other-")).unwrap();
    let refused = clean(kiwi.run(&["provider", "create-accounts", "gitlab", "--file", more.to_str().unwrap()]));
    assert!(refused.code == 1 && refused.err.contains("administrator") | refused.err.contains("does not allow"), "{}", refused.err);
    assert!(gitlab.memory().requests.len() < asked + 10);
}

/// On a terminal, with a slow server: a bar that moves, and Ctrl-C that ends it at once and loses nothing of what was made.
#[test]
fn a_terminal_shows_a_bar_and_an_interrupt_keeps_what_was_made() {
    let gitlab = FakeHost::start(GitProviderKind::Gitlab, None);
    let kiwi = Kiwi::new();
    set_up(&kiwi, "gitlab", &gitlab);
    let many = 100;
    let rows: String = (0..many).map(|index| format!("person-{index},person-{index}@example.com,Person\n")).collect();
    let file = kiwi.folder().join("accounts.csv");
    std::fs::write(&file, format!("username,email,name\n{rows}")).unwrap();
    for index in 0..many {
        gitlab.memory().account_faults.insert(format!("person-{index}"), Fault::Late(Duration::from_millis(100)));
    }
    let arguments = ["provider", "create-accounts", "gitlab", "--file", file.to_str().unwrap()];
    // `script` is the terminal.
    let line = format!("{} {}", kiwi.command(&[]).get_program().to_str().unwrap(), arguments.join(" "));
    let plain = kiwi.command(&[]);
    let variables = plain.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut terminal = std::process::Command::new("script");
    terminal.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]).envs(variables).env("TERM", "xterm-256color");
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let made = || gitlab.memory().accounts.len();
    while made() < 20 {
        assert!(terminal.try_wait().unwrap().is_none(), "it ended before it made anything");
        std::thread::sleep(Duration::from_millis(50));
    }
    let interrupted = Instant::now();
    let mut keyboard = terminal.stdin.take().unwrap();
    keyboard.write_all(b"\x03").unwrap();
    keyboard.flush().unwrap();
    let output = terminal.wait_with_output().unwrap();
    drop(keyboard);
    assert!(interrupted.elapsed() < Duration::from_secs(3), "it took {:?} to end", interrupted.elapsed());
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(shown.contains(&format!("/{many}")) && shown.matches('\r').count() > 5, "a bar counts on one line: {shown:?}");
    std::thread::sleep(Duration::from_millis(300));
    let before = made();
    assert!((20..many).contains(&before), "{before} were made");
    let second = kiwi.run(&[&arguments[..], &["-o", "json"]].concat()).ok().json();
    let count = |outcome: &str| second.as_array().unwrap().iter().filter(|row| row["outcome"] == outcome).count();
    assert_eq!((count("exists"), count("created"), made()), (before, many - before, many), "only the missing are made");
}
