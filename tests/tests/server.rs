//! The command against a server: the same output as the engine in its own process, and a server that stops when it is asked to.

use kiwi_tests::command::Kiwi;
use kiwi_tests::server::Server;
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
