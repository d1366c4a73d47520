//! Files and pages that should not be public, at the places where they usually are.
//!
//! An answer alone says nothing: many applications answer every address with their first page. What is told was recognized by its content.

use super::client::{Client, Failure, Want};
use super::findings::Findings;
use super::page::Answer;
use super::rules::{
    EXPOSED_ACTUATOR, EXPOSED_BACKUP, EXPOSED_DS_STORE, EXPOSED_ENV, EXPOSED_GIT, EXPOSED_HTPASSWD, EXPOSED_PHPINFO, EXPOSED_PPROF, EXPOSED_SERVER_STATUS,
    EXPOSED_SVN, Rule,
};
use std::collections::BTreeSet;
use url::Url;

/// So much is enough to recognize any of them.
const BEGIN: usize = 64 << 10;
/// Of so many pages backups are looked for.
const MOST_SCRIPTS: usize = 10;

/// Where no application has anything.
const NOWHERE: &str = "/kiwi-5f1c0b7e-nothing-is-here";

type Recognize = fn(&[u8], &str) -> bool;

/// Where something may be, and how its content looks.
const PLACES: [(&Rule, &str, Recognize); 24] = [
    (&EXPOSED_GIT, ".git/HEAD", |_, text| is_git_head(text)),
    (&EXPOSED_ENV, ".env", |_, text| is_environment(text)),
    (&EXPOSED_ENV, ".env.production", |_, text| is_environment(text)),
    (&EXPOSED_ENV, ".env.local", |_, text| is_environment(text)),
    (&EXPOSED_SVN, ".svn/entries", |_, text| is_svn_entries(text)),
    (&EXPOSED_SVN, ".svn/wc.db", |bytes, _| bytes.starts_with(b"SQLite format 3\0")),
    (&EXPOSED_DS_STORE, ".DS_Store", |bytes, _| bytes.starts_with(b"\0\0\0\x01Bud1")),
    (&EXPOSED_HTPASSWD, ".htpasswd", |_, text| is_password_file(text)),
    (&EXPOSED_SERVER_STATUS, "server-status", |_, text| text.contains("Apache Server Status for") && text.contains("Server uptime")),
    (&EXPOSED_ACTUATOR, "actuator/env", |_, text| text.trim_start().starts_with('{') && text.contains("\"propertySources\"")),
    (&EXPOSED_PPROF, "debug/pprof/", |_, text| text.contains("goroutine?debug=") && text.contains("profiles")),
    (&EXPOSED_PHPINFO, "phpinfo.php", |_, text| is_phpinfo(text)),
    (&EXPOSED_PHPINFO, "info.php", |_, text| is_phpinfo(text)),
    (&EXPOSED_BACKUP, "backup.sql", |_, text| is_dump(text)),
    (&EXPOSED_BACKUP, "dump.sql", |_, text| is_dump(text)),
    (&EXPOSED_BACKUP, "database.sql", |_, text| is_dump(text)),
    (&EXPOSED_BACKUP, "db.sqlite3", |bytes, _| bytes.starts_with(b"SQLite format 3\0")),
    (&EXPOSED_BACKUP, "backup.zip", |bytes, _| bytes.starts_with(b"PK\x03\x04")),
    (&EXPOSED_BACKUP, "site.zip", |bytes, _| bytes.starts_with(b"PK\x03\x04")),
    (&EXPOSED_BACKUP, "www.zip", |bytes, _| bytes.starts_with(b"PK\x03\x04")),
    (&EXPOSED_BACKUP, "backup.tar.gz", |bytes, _| bytes.starts_with(b"\x1f\x8b\x08")),
    (&EXPOSED_BACKUP, "backup.tgz", |bytes, _| bytes.starts_with(b"\x1f\x8b\x08")),
    (&EXPOSED_BACKUP, "wp-config.php.bak", |_, text| is_source(text)),
    (&EXPOSED_BACKUP, "config.php.bak", |_, text| is_source(text)),
];

/// Looks at the usual places below the origin and below the directory of the start. `pages` are paths that were read, whose backups may lie beside
/// them. An error tells how many places were not looked at.
pub(super) async fn look(client: &mut Client, start: &Url, pages: &BTreeSet<String>, found: &mut Findings) -> Result<(), (usize, Failure)> {
    let mut places: Vec<(&'static Rule, Url, Recognize)> = Vec::new();
    let bases: BTreeSet<Url> = ["/", "."].iter().filter_map(|base| start.join(base).ok()).collect();
    for base in bases {
        places.extend(PLACES.iter().filter_map(|(rule, path, recognize)| Some((*rule, base.join(path).ok()?, *recognize))));
    }
    let scripts = pages.iter().filter(|path| [".php", ".jsp", ".asp", ".aspx", ".py", ".rb", ".cgi"].iter().any(|ending| path.ends_with(ending)));
    for path in scripts.take(MOST_SCRIPTS) {
        for ending in [".bak", ".old", "~"] {
            let recognize: Recognize = |_, text| is_source(text);
            places.extend(start.join(&format!("{path}{ending}")).ok().map(|url| (&EXPOSED_BACKUP, url, recognize)));
        }
    }
    // What the server answers to anything is none of them, even if it looks like one.
    let anything = match start.join(NOWHERE) {
        Ok(nowhere) => client.get(&nowhere, Want::Begin(BEGIN)).await.ok().filter(|answer| answer.status == 200).map(|answer| answer.body),
        Err(_) => None,
    };
    let mut missed: Option<(usize, Failure)> = None;
    for (rule, url, recognize) in places {
        match client.get(&url, Want::Begin(BEGIN)).await {
            Ok(answer) if is_it(&answer, recognize) && anything.as_ref() != Some(&answer.body) => found.add(rule, &url, "", url.path()),
            // Nobody learns of the place from a server that turns everybody away for a while.
            Ok(answer) if matches!(answer.status, 429 | 502..=504) => {
                let failure = Failure::Unanswered(format!("it answered {}", answer.status));
                missed = Some((missed.map_or(0, |(count, _)| count) + 1, failure));
            }
            Ok(_) => {}
            Err(failure) => missed = Some((missed.map_or(0, |(count, _)| count) + 1, failure)),
        }
    }
    missed.map_or(Ok(()), Err)
}

fn is_it(answer: &Answer, recognize: Recognize) -> bool {
    answer.status == 200 && recognize(&answer.body, &answer.text())
}

fn is_git_head(text: &str) -> bool {
    let line = text.trim_end();
    line.strip_prefix("ref: refs/").is_some_and(|name| !name.contains(char::is_whitespace)) || (line.len() == 40 && line.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Every line is a comment or a variable, and one of them is a variable.
fn is_environment(text: &str) -> bool {
    let name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.as_bytes()[0].is_ascii_digit();
    let is_variable = |line: &str| line.strip_prefix("export ").unwrap_or(line).split_once('=').is_some_and(|(left, _)| name(left.trim()));
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    lines.peek().is_some() && lines.all(is_variable)
}

fn is_svn_entries(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().trim();
    // Since 1.7 the file is the format's number alone; before, directories follow it.
    (matches!(first, "8" | "9" | "10") && text.contains("\ndir\n")) || text.trim() == "12" || (text.starts_with("<?xml") && text.contains("<wc-entries"))
}

fn is_password_file(text: &str) -> bool {
    let is_entry = |line: &str| {
        let hashes = ["$apr1$", "$2y$", "$2b$", "$2a$", "$5$", "$6$", "{SHA}"];
        line.split_once(':').is_some_and(|(user, hash)| !user.contains([' ', '<']) && hashes.iter().any(|begin| hash.starts_with(begin)))
    };
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(is_entry)
}

fn is_phpinfo(text: &str) -> bool {
    text.contains("phpinfo()</title>") && text.contains("PHP Version")
}

fn is_dump(text: &str) -> bool {
    let begin = text.trim_start();
    let comment = begin.starts_with("--") || begin.starts_with("/*") || begin.starts_with("CREATE ") || begin.starts_with("SET ") || begin.starts_with("DROP ");
    comment && (text.contains("CREATE TABLE") || text.contains("INSERT INTO") || text.contains("PostgreSQL database dump"))
}

/// The source of a page, which a server that runs it would never send.
fn is_source(text: &str) -> bool {
    let begin = text.trim_start();
    ["<?php", "<%@", "<%", "#!/usr/bin/", "#!/bin/", "import ", "from ", "require "].iter().any(|first| begin.starts_with(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_no_file() {
        let page = "<!doctype html><html><head><title>Shop</title></head><body>A=1</body></html>";
        for (rule, path, recognize) in PLACES {
            for text in [page, "", "OK", "Not found", "{}", "{\"error\":\"not found\"}", "42"] {
                assert!(!recognize(text.as_bytes(), text), "{} {path} {text}", rule.id);
            }
        }
    }

    #[test]
    fn files_are_known_by_their_content() {
        assert!(is_git_head("ref: refs/heads/main\n") && is_git_head(&"a1".repeat(20)) && !is_git_head("ref: refs/heads/ is a page"));
        assert!(is_environment("# local\nexport A=1\nDB_URL = x\n") && !is_environment("A=1\nand more") && !is_environment("# nothing\n"));
        assert!(is_svn_entries("12\n") && is_svn_entries("10\n\ndir\n5\n"));
        assert!(is_password_file("shop:$apr1$x$y\n") && !is_password_file("shop:open\n"));
        assert!(is_dump("-- MySQL dump 10\nCREATE TABLE `a`") && is_source("<?php $password = 1;"));
    }
}
