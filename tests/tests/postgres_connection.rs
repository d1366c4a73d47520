//! What a person is told when the database cannot be reached, and what becomes of work while it is away.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use kiwi_core::domain::{EnvironmentName, EventBody, Run, RunRequest, Timestamp};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::Store as _;
use kiwi_core::provider::store::{Claim, EventStore as _, RunStore as _, ServiceStore as _};
use kiwi_tests::command::Kiwi;
use kiwi_tests::contract::store::service;
use kiwi_tests::postgres::{Database, address};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// How the test server's password is written in its URL.
const PASSWORD: &str = "p%3Fssw%3Erd~1";

#[tokio::test]
async fn every_way_not_to_get_in_says_what_to_do_and_shows_no_password() {
    let database = Database::new();
    let url = database.url();
    let reader = format!("reader_{}", &database.sql("SELECT right(current_schema(), 12)"));
    database.sql(&format!("CREATE ROLE {reader} LOGIN PASSWORD 'p?ssw>rd~1'"));
    database.sql(&format!("DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {reader}', current_schema()); END $$"));
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web_port = web.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = web.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let at = |place: &str| url.replace(&address(), place);
    let with = |parameter: &str| format!("{url}&{parameter}");
    let ca = std::env::var("KIWI_TEST_POSTGRES_CA").expect("tests/run.sh names the server's certificate in KIWI_TEST_POSTGRES_CA");
    for (what, url, kind, hint) in [
        ("wrong password", url.replace(PASSWORD, "p%3Fssw%3Erd~2"), ErrorKind::Unauthenticated, "check user and password"),
        ("unknown user", url.replace("//kiwi:", "//nobody:"), ErrorKind::Unauthenticated, "check user and password"),
        ("unknown database", url.replace("/postgres?", "/none?"), ErrorKind::NotFound, "createdb"),
        ("no right to make tables", url.replace("//kiwi:", &format!("//{reader}:")), ErrorKind::Forbidden, "OWNER TO"),
        ("no schema", url.replace("search_path%3D", "search_path%3Dno_"), ErrorKind::NotFound, "search_path"),
        ("TLS required", with("sslmode=disable").replace("//kiwi:", "//encrypted:"), ErrorKind::Tls, "sslmode=verify-full"),
        ("unknown CA", with("sslmode=verify-full"), ErrorKind::Tls, "sslrootcert"),
        ("other host", at(&address().replace("localhost", "127.0.0.1")) + "&sslmode=verify-full&sslrootcert=" + &ca, ErrorKind::Tls, "sslrootcert"),
        ("nothing listens", at("localhost:1"), ErrorKind::ConnectionRefused, "check host and port"),
        ("no such host", at("db.invalid:5432") + "&sslmode=disable", ErrorKind::HostNotFound, "check the host"),
        ("a web server", at(&format!("localhost:{web_port}")), ErrorKind::Protocol, "points to a PostgreSQL server"),
    ] {
        let error = database.open(&url).await.expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error:?}");
        assert!(error.hint().contains(hint), "{what}: {} {error:?}", error.hint());
        let all = format!("{error:?} {} {}", error.chain(), error.hint());
        assert!(!all.contains("ssw>rd") && !all.contains("ssw%3Erd"), "{what}: {all}");
        println!("{what}: {}; {}", error.chain(), error.hint());
    }
    assert!(!database.key().exists(), "a store that was never opened made no key");
    let store = database.open(&(with("sslmode=verify-full&sslrootcert=") + &ca)).await.unwrap();
    assert!(!format!("{store:?}").contains("ssw"));
    assert_eq!(store.installation().await.unwrap().len(), 16);
    drop(store);
    // Another key is refused, and a key that was only just made cannot be the right one.
    std::fs::remove_file(database.key()).unwrap();
    assert_eq!(database.open(&url).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert!(!database.key().exists());
    database.sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
}

#[test]
fn the_command_shares_a_database_and_takes_no_password_as_an_argument() {
    let database = Database::new();
    // Two processes with data directories of their own.
    let replica = || Kiwi::new().env("KIWI_DATABASE", database.url()).env("KIWI_KEY_FILE", database.key().to_str().unwrap());
    let (first, second) = (replica(), replica());
    first.run(&["user", "add", "ada", "--email", "ada@example.com", "--full-name", "Ada"]).ok();
    assert!(second.run(&["user", "list"]).ok().out.contains("ada@example.com"));
    // The machine's list of certificates counts, as it does everywhere in Kiwi.
    let ca = std::env::var("KIWI_TEST_POSTGRES_CA").unwrap();
    let verified = replica().env("KIWI_DATABASE", database.url() + "&sslmode=verify-full");
    assert!(verified.run(&["user", "list"]).err.contains("sslrootcert"));
    verified.env("SSL_CERT_FILE", ca).run(&["user", "list"]).ok();
    let refused = Kiwi::new().run(&["user", "list", "--database", &database.url()]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("KIWI_DATABASE") && !refused.err.contains(PASSWORD), "{}", refused.err);
    let help = first.run(&["user", "list", "--help"]).ok().out;
    assert!(help.contains("KIWI_DATABASE") && !help.contains(PASSWORD), "{help}");
}

/// What stands between a store and the server, and can be cut or blocked.
struct Wire {
    port: u16,
    blocked: watch::Sender<bool>,
    serving: AbortHandle,
}

impl Wire {
    async fn new(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let blocked = watch::Sender::new(false);
        let block = blocked.clone();
        let serving = tokio::spawn(async move {
            // Ends with the task, and cuts every connection.
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let mut block = block.subscribe();
                connections.spawn(async move {
                    let mut far = TcpStream::connect(address()).await.unwrap();
                    loop {
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => return,
                            _ = block.wait_for(|blocked| *blocked) => {}
                        }
                        let _ = block.wait_for(|blocked| !*blocked).await;
                    }
                });
            }
        });
        Self { port, blocked, serving: serving.abort_handle() }
    }

    async fn cut(&self) {
        self.serving.abort();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_waits_for_a_database_that_is_away_for_seconds_and_fails_clearly_after() {
    let database = Database::new();
    let wire = Wire::new(0).await;
    let url = database.url().replace(&address(), &format!("127.0.0.1:{}", wire.port)) + "&sslmode=disable";
    let store = Arc::new(database.open(&url).await.unwrap());
    let service = service("away");
    store.insert_service(&service).await.unwrap();
    let run = Run::queued(&service, EnvironmentName::Development, RunRequest::Pipeline { commit: None }, "admin");
    store.insert_run(&service.organization, "s", &run).await.unwrap();
    let Claim::Held(fence) = store.claim("s", &run.id, "a", Duration::from_secs(60)).await.unwrap() else { panic!("busy") };
    let append = async || {
        let event = (Timestamp::now(), EventBody::Info { message: "x".into() });
        let began = Instant::now();
        (store.append_events(&run.id, &[event], &fence).await, began.elapsed())
    };
    append().await.0.unwrap();

    // Away for two seconds: whoever writes waits.
    wire.cut().await;
    let (late, wire) = tokio::join!(append(), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Wire::new(wire.port).await
    });
    late.0.unwrap();
    println!("FIGURE a write that met a database which was away for 2 s took {:?}", late.1);

    // Silent: no answer and no refusal, as when a network is cut.
    wire.blocked.send_replace(true);
    let (refused, took) = append().await;
    told(&refused.unwrap_err(), took);
    let began = Instant::now();
    told(&store.renew(&fence, Duration::from_secs(60)).await.unwrap_err(), began.elapsed());
    wire.blocked.send_replace(false);
    append().await.0.unwrap();

    // Away for good.
    wire.cut().await;
    let (refused, took) = append().await;
    told(&refused.unwrap_err(), took);
    let back = Wire::new(wire.port).await;
    append().await.0.unwrap();
    let events = store.events(&run.id, 0, 100).await.unwrap();
    assert!(events.iter().zip(0..).all(|(event, number)| event.sequence == number), "a gap");
    assert!((4..=6).contains(&events.len()), "{} events", events.len());
    back.cut().await;
}

fn told(error: &Error, took: Duration) {
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{error:?}");
    assert!(error.hint().contains("database"), "{}", error.hint());
    assert!((8..13).contains(&took.as_secs()), "{took:?}");
}
