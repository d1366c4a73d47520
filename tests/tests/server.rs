//! The command against a server: the same output as the engine in its own process, and a server that stops when it is asked to.

use kiwi_tests::command::Kiwi;
use kiwi_tests::server::Server;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn commands_say_the_same_of_a_server() {
    let kiwi = Kiwi::new();
    let server = Server::start(&kiwi);
    let token = server.first_admin();
    let url = server.url();
    let remote = |arguments: &[&str]| {
        let mut all = vec!["--server", url.as_str()];
        all.extend(arguments);
        let output = kiwi.command(&all).env("KIWI_TOKEN", &token).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let local = |arguments: &[&str]| {
        let output = kiwi.command(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let added = remote(&["user", "add", "ada", "--email", "ada@example.com", "--service"]);
    assert_eq!(added.0, Some(0), "{added:?}");
    let made = remote(&["user", "token", "create", "ada", "--scope", "read", "--days", "1"]);
    assert!(made.1.starts_with("kiwi_") && made.2.contains("only time"), "{made:?}");
    for arguments in [
        &["user", "list", "-o", "json"][..],
        &["user", "list"],
        &["user", "token", "list", "-o", "json"],
        &["service", "list", "-o", "json"],
        &["service", "show", "nothing"],
        &["runs", "list"],
        &["runs", "show", "01arz3ndektsv4rrffq69g5fav"],
        &["runtime", "list", "-o", "json"],
        &["registry", "list"],
        &["provider", "list", "-o", "json"],
        &["provider", "menu", "gitlab", "-o", "json"],
        &["status", "nothing"],
        &["history", "nothing"],
    ] {
        let (code, stdout, stderr) = remote(arguments);
        assert_eq!((code, stdout), local(arguments), "{arguments:?}: {stderr}");
    }
    // Whoever may look may not change, and what needs this machine says so.
    let output = kiwi.command(&["--server", &url, "user", "remove", "ada"]).env("KIWI_TOKEN", made.1.trim()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (code, _, stderr) = remote(&["runs", "resume"]);
    assert!(code == Some(1) && stderr.contains("this machine alone"), "{stderr}");
    let (code, _, stderr) = remote(&["user", "remove", "ada"]);
    assert_eq!(code, Some(0), "{stderr}");

    let began = Instant::now();
    assert!(server.stop().success());
    assert!(began.elapsed() < Duration::from_secs(5));
    let (code, _, stderr) = remote(&["user", "list"]);
    assert!(code == Some(1) && stderr.contains("does not answer"), "{stderr}");
}

#[test]
fn a_login_over_tls_is_kept_for_its_owner_alone() {
    let kiwi = Kiwi::new();
    let config = kiwi.folder().join("config");
    let (certificate, key) = (kiwi.folder().join("server.crt"), kiwi.folder().join("server.key"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let plain = Server::start(&kiwi);
    let token = plain.first_admin();
    assert!(plain.stop().success());
    let server = Server::start_with(&kiwi, &["--tls-cert", certificate, "--tls-key", key]);
    let url = server.url();
    assert!(url.starts_with("https://"), "{url}");
    let run = |arguments: &[&str], input: &str, trusted: &str| {
        let mut child = kiwi
            .command(arguments)
            .env("XDG_CONFIG_HOME", &config)
            .env("SSL_CERT_FILE", trusted)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let tokens = config.join("kiwi/tokens.json");
    // Who is not known to be the server is told nothing.
    let (code, said) = run(&["login", &url], &token, "/etc/ssl/certs/ca-certificates.crt");
    assert!(code == Some(1) && said.contains("certificate") && !tokens.exists(), "{said}");
    let (code, said) = run(&["login", &url], "kiwi_wrong", certificate);
    assert!(code == Some(1) && said.contains("opens nothing") && !tokens.exists(), "{said}");
    let (code, said) = run(&["--server", &url, "user", "list"], "", certificate);
    assert!(code == Some(1) && said.contains(&format!("kiwi login {url}")), "{said}");
    let (code, said) = run(&["login", &url], &token, certificate);
    assert!(code == Some(0) && said.contains("you are root") && !said.contains(&token), "{said}");
    assert_eq!(std::fs::metadata(&tokens).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, said) = run(&["--server", &url, "user", "list"], "", certificate);
    assert!(code == Some(0) && said.contains("root@example.com"), "{said}");
    // The same port without TLS is no server.
    let (code, said) = run(&["--server", &url.replace("https", "http"), "user", "list"], "", certificate);
    assert!(code == Some(1) && !said.contains(&token), "{said}");
}

#[test]
fn nobody_leads_a_server_into_its_own_network() {
    let kiwi = Kiwi::new().env("KIWI_ALLOW_HOSTS", "git.example.com");
    let server = Server::start(&kiwi);
    let (token, url) = (server.first_admin(), server.url());
    let inside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let remote = |arguments: &[&str]| {
        let output = kiwi.command(&[&["--server", url.as_str()], arguments].concat()).env("KIWI_TOKEN", &token).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for host in ["http://127.0.0.1", "https://127.0.0.1", "https://localhost", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://0.0.0.0"] {
        let (code, stderr) = remote(&["source", "check", &format!("{host}:{port}/a/b.git")]);
        assert!(code == Some(1) && stderr.contains("is refused") && stderr.contains("--allow-host"), "{host}: {stderr}");
    }
    for host in ["127.0.0.1", "localhost"] {
        let (code, stderr) = remote(&["image", "resolve", &format!("{host}:{port}/a:b")]);
        assert!(code == Some(1) && stderr.contains("is refused") && stderr.contains("--allow-host"), "{host}: {stderr}");
    }
    assert!(inside.accept().is_err(), "nothing was sent there");
    // Nobody listens there once its listener is gone.
    drop(inside);
    // The machine's owner types what they mean, and a server's owner may trust a host.
    let local = kiwi.command(&["source", "check", &format!("http://127.0.0.1:{port}/a/b.git")]).output().unwrap();
    assert!(String::from_utf8_lossy(&local.stderr).contains("Connection refused"), "{local:?}");
    drop(server);
    let server = Server::start_with(&kiwi, &["--allow-host", "127.0.0.1"]);
    let check = format!("http://127.0.0.1:{port}/a/b.git");
    let output = kiwi.command(&["--server", &server.url(), "source", "check", &check]).env("KIWI_TOKEN", &token).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("Connection refused"), "{output:?}");
}

#[test]
fn a_log_for_machines_has_the_id_of_each_request() {
    let server = Server::start_with(&Kiwi::new(), &["--log-format", "json"]);
    assert!(server.is_ready());
    drop(server.first_admin());
    let due = Instant::now() + Duration::from_secs(5);
    let line = loop {
        let found = server.log().into_iter().find(|line| line.contains("/bootstrap"));
        if let Some(line) = found {
            break line;
        }
        assert!(Instant::now() < due, "{:?}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    };
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["span"]["route"], &line["span"]["status"], &line["span"]["method"]),
        (&"/api/v1/bootstrap".into(), &201.into(), &"POST".into()),
        "{line}"
    );
    assert_eq!(line["span"]["id"].as_str().map(str::len), Some(26), "{line}");
    assert!(!server.log().iter().any(|line| line.contains("/readyz")), "probes are not worth a line: {:?}", server.log());
    assert!(line["timestamp"].is_string() && line["level"] == "INFO" && line["message"] == "answered", "{line}");
}
