//! Bad input, ten classes with ten or more cases each: every one ends with exit code 1 or 2 and a clear message within its time
//! limit, without a panic, and nothing half-made is left.

#![expect(clippy::print_stdout, reason = "a test ends by panicking, and prints its figures")]

use kiwi_tests::command::{Finished, Kiwi, leftovers, unique};
use kiwi_tests::git::{Behaviour, GitHost};
use kiwi_tests::sample;
use std::time::Duration;

/// What every refusal has in common.
fn refused(class: &str, case: &str, finished: &Finished, codes: &[i32], limit: Duration) {
    let text = format!("{class}, {case:?}: {finished:?}");
    assert!(codes.contains(&finished.code), "{text}");
    assert!(!finished.err.contains("panicked") && !finished.err.contains("RUST_BACKTRACE"), "{text}");
    assert!(finished.err.contains("error:") && finished.err.lines().count() < 60, "{text}");
    assert!(finished.took < limit, "{text}");
}

fn figure(class: &str, cases: usize) {
    println!("FIGURE bad input: {class}: {cases} cases, each refused with a message");
}

const QUICK: Duration = Duration::from_secs(5);

fn registered_nothing(kiwi: &Kiwi) {
    assert_eq!(kiwi.run(&["service", "list", "-o", "json"]).ok().json(), serde_json::json!([]));
}

#[test]
fn names_urls_branches_and_references() {
    let kiwi = Kiwi::new().with_runtime();
    let names = ["", "Shop", "1shop", "-shop", "shop-", "shop_api", "shop api", "shöp", "a/b", "../x", "shop\n", &"a".repeat(41), "--upload-pack=x", "."];
    for name in names {
        refused("service name", name, &kiwi.run(&["service", "register", "--git", "https://example.com/a", "--", name]), &[2], QUICK);
    }
    figure("service names", names.len());
    let urls = [
        "",
        "file:///etc",
        "/etc/passwd",
        "ext::sh -c id",
        "git@github.com:a/b",
        "ssh://host/a",
        "https://",
        "https://host",
        "https://u:p@host/a",
        "https://host/a?x=1",
        "https://host/../a",
        "--upload-pack=touch x",
        "https://host/a b",
        "javascript:alert(1)",
        "https://host:99999/a",
        "gopher://host/a",
        "https://host/a\nb",
    ];
    for url in urls {
        refused("git URL", url, &kiwi.run(&["service", "register", "shop", &format!("--git={url}")]), &[2], QUICK);
        refused("git URL", url, &kiwi.run(&["source", "check", "--", url]), &[2], QUICK);
    }
    figure("git URLs", urls.len());
    let branches = [
        "",
        "--upload-pack=x",
        "-b",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "a.lock",
        "refs/heads/main",
        "HEAD",
        "@",
        "a@{1}",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a.",
    ];
    for branch in branches {
        refused("branch", branch, &kiwi.run(&["source", "check", "https://example.com/a", "--branch", branch]), &[2], QUICK);
    }
    figure("branches", branches.len());
    let rules = ["", "${NOPE}", "${BRANCH", "a b", "v:${SHA}", "${branch}", "a/b", "ä", "${}", "$(id)"];
    let registries = ["", "host:0", "host:x", "u:p@host", "host/UPPER", "host//a", "-host", "a b", "host/a b", "http://", "ho_st"];
    for rule in rules {
        refused("tag rule", rule, &kiwi.run(&["service", "register", "shop", "--git", "https://example.com/a", "--tag-rule", rule]), &[2], QUICK);
    }
    for registry in registries {
        refused("registry", registry, &kiwi.run(&["registry", "add", "hub", &format!("--url={registry}")]), &[2], QUICK);
    }
    let images = ["A", "a b", "a//b", "-a", "a:b", "a@b", "ä", "a..b", "", "a/"];
    for image in images {
        refused(
            "image name",
            image,
            &kiwi.run(&["service", "register", "shop", "--git", "https://example.com/a", &format!("--image-name={image}")]),
            &[2],
            QUICK,
        );
    }
    figure("references, tag rules and registries", rules.len() + registries.len() + images.len());
    let numbers = [
        ["--port", "0"],
        ["--port", "65536"],
        ["--port", "x"],
        ["--port=-1", "--health=/"],
        ["--health", "up"],
        ["--health", "/a b"],
        ["--host", "a_b"],
        ["--publish", "0"],
        ["--drain", "-1"],
        ["--start-timeout", "0"],
        ["--strategy", "slow"],
        ["--protocol", "udp"],
        ["--build-arg", "1A=x"],
        ["--build-arg", "A"],
    ];
    for [flag, value] in numbers {
        refused("setting", flag, &kiwi.run(&["service", "register", "shop", "--git", "https://example.com/a", flag, value]), &[2], QUICK);
    }
    let deploys = [
        ["--replicas", "0"],
        ["--replicas", "51"],
        ["--cpu", "2:1"],
        ["--cpu", "0"],
        ["--memory", "1Ki"],
        ["--memory", "2Gi:1Gi"],
        ["--env", "=x"],
        ["--env", "1=x"],
        ["--environment", "qa"],
        ["--build", "x"],
        ["--release", "-1"],
    ];
    for [flag, value] in deploys {
        refused("setting", flag, &kiwi.run(&["deploy", "shop", flag, value]), &[2], QUICK);
    }
    figure("ports, paths, resources and variables", numbers.len() + deploys.len());
    registered_nothing(&kiwi);
}

#[test]
fn service_files() {
    let kiwi = Kiwi::new().with_runtime();
    let git = "source: {git: 'https://example.com/a'}";
    let deep = format!("{git}\ncontainers: {}{}", "[".repeat(5000), "]".repeat(5000));
    let bombs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n".to_owned();
    let cases = [
        String::new(),
        "just text".to_owned(),
        "[1, 2]".to_owned(),
        "source: {git: nope}".to_owned(),
        "source: {git: 'https://u:p@example.com/a'}".to_owned(),
        format!("{git}\nnope: 1"),
        format!("{git}\nname: other"),
        format!("{git}\ncontainers: [{{name: a, port: 99999}}]"),
        format!("{git}\ncontainers: [{{name: a}}, {{name: a}}]"),
        format!("{git}\ncontainers: [{{name: a, volumes: [{{mountPath: /proc, size: 1Gi}}]}}]"),
        format!("{git}\ncontainers: [{{name: a, volumes: [{{mountPath: /data, size: big}}]}}]"),
        format!("{git}\nbuild: {{dockerfile: ../../etc/passwd}}"),
        format!("{git}\nbuild: {{test: a, test_target: b}}"),
        format!("{git}\n\tcontainers: []"),
        "\u{0}\u{1}".to_owned(),
        deep,
        bombs,
    ];
    let file = kiwi.folder().join("service.yaml");
    for text in &cases {
        std::fs::write(&file, text).unwrap();
        let finished = kiwi.run(&["service", "register", "shop", "--file", file.to_str().unwrap()]);
        refused("service file", &text.chars().take(60).collect::<String>(), &finished, &[1, 2], QUICK);
    }
    for path in ["/nope", "/", "/dev/zero"] {
        refused("service file", path, &kiwi.run(&["service", "register", "shop", "--file", path]), &[2], QUICK);
    }
    figure("service files", cases.len() + 3);
    registered_nothing(&kiwi);
}

#[test]
fn hosts_that_hang_or_lie() {
    let host = GitHost::start(Some("t0k3n"));
    let (repository, _) = (host.create("shop"), host.create("empty"));
    sample::write(repository.folder(), "1");
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let check = |url: &str, token: &str| kiwi.run_with(&["source", "check", url, "--token-stdin", "-o", "json"], token);
    let thief = GitHost::start(None);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut cases = 0;
    let mut expect = |what: &str, finished: Finished, cause: &str, limit: Duration| {
        refused("git host", what, &finished, &[1], limit);
        let value = finished.json();
        assert!(value["cause"].as_str().unwrap().contains(cause) && !value["hint"].as_str().unwrap().is_empty(), "{what}: {value}");
        cases += 1;
    };
    expect("a wrong token", check(&host.url("shop"), "wrong"), "Authentication failed", QUICK);
    expect("a repository that is not there", check(&host.url("nope"), "t0k3n"), "Repository not found", QUICK);
    expect("a repository without a commit", check(&host.url("empty"), "t0k3n"), "Empty repository", QUICK);
    expect(
        "a branch that is not there",
        kiwi.run_with(&["source", "check", &host.url("shop"), "--token-stdin", "--branch", "nope", "-o", "json"], "t0k3n"),
        "Branch not found",
        QUICK,
    );
    expect("a closed port", check(&format!("http://{closed}/a"), "t0k3n"), "Connection refused", QUICK);
    expect("a name that does not resolve", check("http://nope.invalid/a", "t0k3n"), "Host not found", QUICK);
    expect("https where there is none", check(&host.url("shop").replace("http:", "https:"), "t0k3n"), "TLS", QUICK);
    for (behaviour, cause) in [
        (Behaviour::Html, "does not answer like a git server"),
        (Behaviour::Status(403), "may not read"),
        (Behaviour::Status(500), "has a problem"),
        (Behaviour::Status(429), "rate limit"),
        (Behaviour::Status(418), "HTTP 418"),
        (Behaviour::Redirect(thief.url("x").replace("/x.git", "")), "has moved"),
    ] {
        host.behave(behaviour.clone());
        expect(&format!("{behaviour:?}"), check(&host.url("shop"), "t0k3n"), cause, QUICK);
    }
    assert_eq!(thief.seen(), Vec::<String>::new(), "a redirect carries no token away");
    host.behave(Behaviour::Hang);
    expect("a host that never answers", check(&host.url("shop"), "t0k3n"), "Connection timeout", Duration::from_secs(30));
    figure("git hosts that hang or lie", 14);
    assert_eq!(cases, 14);

    // Packs that are not what they should be: the run fails, and leaves nothing.
    host.behave(Behaviour::Good);
    let name = unique("liar");
    kiwi.run_with(&["service", "register", &name, "--git", &host.url("shop"), "--token-stdin"], "t0k3n").ok();
    let pack = |body: &[u8]| [b"0008NAK\n".as_slice(), body].concat();
    // A pack of one object that says it has 10 GB when unpacked.
    let mut huge = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    huge.extend([0xb0, 0x80, 0x80, 0x80, 0x80, 0x14, 0x78, 0x9c, 0x03, 0x00, 0, 0, 0, 1]);
    let band = |body: &[u8]| [format!("{:04x}\u{1}", body.len() + 5).into_bytes(), body.to_vec(), b"0000".to_vec()].concat();
    let lies = [
        Behaviour::CutPack,
        Behaviour::Pack(Vec::new()),
        Behaviour::Pack(pack(b"")),
        Behaviour::Pack(b"0000".to_vec()),
        Behaviour::Pack(b"<html>".to_vec()),
        Behaviour::Pack(pack(&[0xff; 4096])),
        Behaviour::Pack([b"000dpackfile\n".as_slice(), &band(&huge)].concat()),
        Behaviour::Pack([b"000dpackfile\n".as_slice(), &band(b"PACK\0\0\0\x02\xff\xff\xff\xff")].concat()),
        Behaviour::Pack([b"000dpackfile\n".as_slice(), &band(b"PACK\0\0\0\x63\0\0\0\x01")].concat()),
        Behaviour::Pack([b"000dpackfile\n".as_slice(), &band(b"no pack at all")].concat()),
    ];
    for lie in &lies {
        host.behave(lie.clone());
        let finished = kiwi.run(&["run", &name]);
        refused("pack", &format!("{lie:?}").chars().take(80).collect::<String>(), &finished, &[1], Duration::from_secs(30));
        let work = std::fs::read_dir(kiwi.data().join("work")).map(|entries| entries.count()).unwrap_or(0);
        assert_eq!(work, 0, "{lie:?}: a temporary folder is left");
    }
    figure("packs that lie", lies.len());
    host.behave(Behaviour::Good);
    let missing = kiwi.run(&["run", &name, "--commit", &"1".repeat(40)]);
    refused("commit", "unknown", &missing, &[1], Duration::from_secs(30));
    assert!(missing.err.contains("the server has no commit"), "{}", missing.err);
    kiwi.run(&["service", "remove", &name]).ok();
    assert_eq!(leftovers(&format!("kiwi-{name}")), Vec::<String>::new());
}

#[test]
fn repositories_that_attack() {
    let host = GitHost::start(None);
    let kiwi = Kiwi::new().with_runtime();
    let dockerfile = "FROM python:3.11-slim\nCOPY . /app\nCMD [\"python3\", \"-m\", \"http.server\", \"8080\"]\n";
    let link = |from: &str, to: &str| -> Box<dyn Fn(&std::path::Path)> {
        let (from, to) = (from.to_owned(), to.to_owned());
        Box::new(move |folder| std::os::unix::fs::symlink(&from, folder.join(&to)).unwrap())
    };
    let file = |name: &str, text: &str| -> Box<dyn Fn(&std::path::Path)> {
        let (name, text) = (name.to_owned(), text.to_owned());
        Box::new(move |folder| std::fs::write(folder.join(&name), &text).unwrap())
    };
    // What the repository holds, how it is registered, and what the message says.
    type Write = Box<dyn Fn(&std::path::Path)>;
    let cases: Vec<(&str, Vec<Write>, Vec<&str>, &str)> = vec![
        ("a Dockerfile that is a link to /etc/passwd", vec![link("/etc/passwd", "Dockerfile")], vec![], "no file Dockerfile"),
        ("a link at the chosen path", vec![link("/etc", "d")], vec!["--dockerfile", "d/passwd"], "no file d/passwd"),
        ("a context that leads out", vec![link("/etc", "c"), file("Dockerfile", dockerfile)], vec!["--context", "c"], "no directory c"),
        ("a relative link out", vec![link("../../../../etc/passwd", "Dockerfile")], vec![], "no file Dockerfile"),
        ("a link to itself", vec![link("Dockerfile", "Dockerfile")], vec![], "no file Dockerfile"),
        ("no Dockerfile, and nothing to plan one from", vec![file("README", "x")], vec![], "nothing in the repository shows what it is written in"),
        ("a context that leads out, without a Dockerfile", vec![link("/etc", "c")], vec!["--context", "c", "--wizard"], "no directory c"),
        ("an empty Dockerfile", vec![file("Dockerfile", " \n")], vec![], "is empty"),
        ("a Dockerfile that is no Dockerfile", vec![file("Dockerfile", "hello world\n")], vec![], "syntax error"),
        ("a huge Dockerfile", vec![file("Dockerfile", &"#".repeat(2 << 20))], vec![], "larger than 1 MiB"),
        ("a base image that is not there", vec![file("Dockerfile", "FROM kiwi.invalid/nope:1\n")], vec![], "base image"),
        ("a step that fails", vec![file("Dockerfile", "FROM python:3.11-slim\nRUN exit 3\n")], vec![], "a step of the Dockerfile failed"),
        ("a file that is not there", vec![file("Dockerfile", "FROM python:3.11-slim\nCOPY nope /x\n")], vec![], "not in the build context"),
        ("a stage that is not there", vec![file("Dockerfile", dockerfile)], vec!["--target", "nope"], "no such stage"),
        ("an ignore pattern that is malformed", vec![file("Dockerfile", dockerfile), file(".dockerignore", "[a-\n")], vec![], "malformed"),
    ];
    for (what, files, arguments, cause) in &cases {
        let repository = host.create(&unique("attack"));
        files.iter().for_each(|write| write(repository.folder()));
        let bare = repository.folder().join(".git/config");
        let url = std::fs::read_to_string(bare).unwrap();
        let name_of = url.lines().find_map(|line| line.trim().strip_prefix("url = ")).unwrap().rsplit('/').next().unwrap().trim_end_matches(".git").to_owned();
        repository.push("main");
        let name = unique("attack");
        let url = host.url(&name_of);
        let mut register = vec!["service", "register", &name, "--git", &url, "--port", "8080"];
        register.extend(arguments);
        kiwi.run(&register).ok();
        let finished = kiwi.run(&["run", &name]);
        refused("repository", what, &finished, &[1], Duration::from_secs(60));
        assert!(finished.err.contains(cause), "{what}: {}", finished.err);
        assert!(!finished.err.contains("root:x:0"), "{what} shows /etc/passwd");
        kiwi.run(&["service", "remove", &name]).ok();
        assert_eq!(leftovers(&format!("kiwi-{name}")), Vec::<String>::new(), "{what}");
    }
    figure("repositories that attack", cases.len());
}

/// A link out of the tree is built as a link: what it points to is the image's, not this machine's.
#[test]
fn links_and_hostile_logs_are_harmless() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "1");
    let hostile = [
        "print('\\x1b[2J\\x1b]0;owned\\x07cleared', flush=True)",
        "print('\\r' * 100 + 'progress', flush=True)",
        "print('x' * 300000, flush=True)",
        "sys.stdout.buffer.write(bytes(range(256)) * 100); print(flush=True)",
        "print('\\u202e reversed', flush=True)",
        "print('\\x00' * 1000, flush=True)",
        "print('\\x1b[' + '9' * 5000, flush=True)",
        "[print(index) for index in range(20000)]",
        "sys.stderr.write('no line end')",
        "print('{\"status\": \"live\"}', flush=True)",
    ];
    let app = sample::APP.replace("server = Server", &format!("{}\nserver = Server", hostile.join("\n")));
    std::fs::write(repository.folder().join("app.py"), app).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repository.folder().join("evil")).unwrap();
    let dockerfile = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . ./\nUSER 10001:10001\nCMD [\"python3\", \"app.py\"]\n";
    std::fs::write(repository.folder().join("Dockerfile"), dockerfile).unwrap();
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("noisy");
    kiwi.run(&["service", "register", &name, "--git", &host.url("shop"), "--port", "8080", "--test", "test -L /app/evil"]).ok();
    kiwi.run(&["run", &name]).ok();
    let logs = kiwi.run(&["logs", &name]).ok();
    assert!(logs.out.contains("cleared") && logs.out.contains("19999"), "the lines are there");
    assert!(!logs.out.contains(['\u{1b}', '\u{7}', '\u{0}', '\u{202e}', '\r']), "and cannot drive a terminal");
    kiwi.run(&["service", "remove", &name]).ok();
    figure("hostile container logs", hostile.len());
}

#[test]
fn states_that_do_not_fit() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "1");
    repository.push("main");
    let kiwi = Kiwi::new();
    let url = host.url("shop");
    let name = unique("state");
    let mut cases = 0;
    let mut expect = |arguments: &[&str], codes: &[i32], says: &str| {
        let finished = kiwi.run(arguments);
        refused("state", &arguments.join(" "), &finished, codes, QUICK);
        assert!(finished.err.contains(says), "{arguments:?}: {}", finished.err);
        cases += 1;
    };
    expect(&["service", "register", &name, "--git", &url], &[2], "no runtime is registered");
    expect(&["runtime", "add", "docker", "gone", "--engine", "unix:///nope.sock"], &[1], "no socket");
    expect(&["runtime", "add", "docker", "gone", "--engine", "tcp://127.0.0.1:1"], &[1], "Docker Engine");
    expect(&["runtime", "add", "docker", "gone", "--engine", "ftp://x"], &[2], "scheme");
    expect(&["runtime", "add", "kubernetes", "k", "--kubeconfig", "/nope"], &[2], "cannot be read");
    kiwi.run(&["runtime", "add", "docker", "local"]).ok();
    expect(&["runtime", "add", "docker", "local"], &[2], "exists already");
    expect(&["service", "register", &name, "--git", &url, "--runtime", "nope"], &[2], "no runtime called nope");
    expect(&["service", "register", &name, "--git", &url, "--registry", "nope"], &[2], "no registry called nope");
    expect(&["run", "nope"], &[2], "no service called nope");
    kiwi.run(&["service", "register", &name, "--git", &url, "--port", "8080"]).ok();
    expect(&["service", "register", &name, "--git", &url], &[2], "exists already");
    expect(&["deploy", &name], &[1], "no build");
    expect(&["rollback", &name], &[1, 2], "no earlier live release");
    expect(&["rollback", &name, "--to", "7"], &[2], "no revision 7");
    expect(&["restart", &name], &[1, 2], "not live");
    expect(&["scale", &name, "--replicas", "2"], &[1, 2], "not live");
    expect(&["runs", "cancel", "01jzzzzzzzzzzzzzzzzzzzzzzz"], &[2], "no run");
    expect(&["events", "01jzzzzzzzzzzzzzzzzzzzzzzz"], &[2], "no run");
    expect(&["runtime", "remove", "local"], &[1], "is used by service");
    expect(&["--as-role", "member", "runtime", "list", "--data-dir", "/proc/nope"], &[1], "data");
    expect(&["--as-role", "member", "runtime", "remove", "local"], &[1], "only an admin");
    let wrong = kiwi.command(&["service", "list"]).env("KIWI_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("the key is not the one"), "a wrong key stops the start");
    figure("states that do not fit", cases + 1);
    kiwi.run(&["service", "remove", &name]).ok();
}
