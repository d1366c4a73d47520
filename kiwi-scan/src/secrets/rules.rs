//! The rules: which there are, and what in a text matches one.

use aho_corasick::AhoCorasick;
use kiwi_core::domain::Severity;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

/// A compiled rule may need so much; the widest ones count characters in hundreds.
const LARGEST_REGEX: usize = 32 << 20;
/// Of so many neighbours in a random value, two are of different kinds at least; and no more entropy is asked of a long one.
const LEAST_TURNS: usize = 4;
const MOST_EXPECTED: f64 = 3.7;
/// What stands in documentation and tests instead of a secret.
const PLACEHOLDERS: [&str; 14] = [
    "example",
    "sample",
    "changeme",
    "change_me",
    "placeholder",
    "your_",
    "your-",
    "yoursecret",
    "dummy",
    "redacted",
    "xxxxx",
    "*****",
    "00000000",
    "12345678",
];

/// One form of a secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) title: String,
    keywords: Vec<String>,
    pattern: String,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    random: bool,
    #[serde(default = "high")]
    pub(super) severity: Severity,
    #[cfg_attr(not(test), expect(dead_code, reason = "the rule's test"))]
    example: String,
    #[serde(skip)]
    regex: OnceLock<Option<Regex>>,
}

fn high() -> Severity {
    Severity::High
}

impl Rule {
    /// Compiled when a file first needs it: all of them would take longer than most trees.
    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| RegexBuilder::new(&self.pattern).size_limit(LARGEST_REGEX).build().ok()).as_ref()
    }
}

/// All rules, with one search for all of their keywords.
pub(super) struct Rules {
    pub(super) all: Vec<Rule>,
    keywords: AhoCorasick,
    /// The rule of each keyword.
    owners: Vec<usize>,
}

/// Where a secret stands, and which rule says so.
pub(super) struct Match<'r> {
    pub(super) rule: &'r Rule,
    pub(super) span: Range<usize>,
}

impl Rules {
    /// The rules that come with Kiwi.
    #[expect(clippy::expect_used, reason = "the file is a part of the program, and a test reads all of it")]
    pub(super) fn builtin() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        RULES.get_or_init(|| {
            #[derive(Deserialize)]
            struct File {
                rule: Vec<Rule>,
            }
            let File { rule: all } = toml::from_str(include_str!("rules.toml")).expect("rules.toml is well formed");
            let (words, owners): (Vec<&str>, Vec<usize>) =
                all.iter().enumerate().flat_map(|(index, rule)| rule.keywords.iter().map(move |keyword| (keyword.as_str(), index))).unzip();
            let keywords = AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("some hundred keywords are not too many");
            Self { all, keywords, owners }
        })
    }

    /// The secrets of a text in the order of the text; a place that several rules know is the first rule's.
    pub(super) fn matches(&self, text: &str) -> Vec<Match<'_>> {
        let candidates: BTreeSet<usize> = self.keywords.find_overlapping_iter(text).map(|found| self.owners[found.pattern().as_usize()]).collect();
        // By where they begin; none lies in another, so that the one before an end is the only one that may reach into it.
        let mut found: BTreeMap<usize, Match<'_>> = BTreeMap::new();
        for rule in candidates.into_iter().map(|index| &self.all[index]) {
            let Some(regex) = rule.regex() else { continue };
            for captures in regex.captures_iter(text) {
                let Some(span) = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0)).map(|group| group.range()) else { continue };
                let secret = &text[span.clone()];
                let known = found.range(..span.end).next_back().is_some_and(|(_, other)| span.start < other.span.end);
                let fits = entropy(secret) >= rule.entropy && (!rule.random || is_random(secret));
                if !known && fits && !is_placeholder(secret) && !is_reference(secret) {
                    found.insert(span.start, Match { rule, span });
                }
            }
        }
        found.into_values().collect()
    }
}

fn is_placeholder(secret: &str) -> bool {
    let lower = secret.to_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
}

/// Whether a text is the name of a variable, such as `$DB_PASSWORD` or `$(pass show db)`, and not what that holds.
fn is_reference(secret: &str) -> bool {
    let is_name =
        |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    secret.strip_prefix('$').is_some_and(|rest| rest.starts_with('(') || is_name(rest))
}

/// Whether a value looks like chance, and not like words, a name, a path or a digest of something public.
fn is_random(value: &str) -> bool {
    const WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "test", "key"];
    const PLACES: [&str; 8] = ["/", "./", "../", "~", "sha256", "sha512", "sha1", "md5"];
    let lower = value.to_lowercase();
    if WORDS.iter().any(|word| lower.contains(word)) || PLACES.iter().any(|begin| lower.starts_with(begin)) || value.contains("://") {
        return false;
    }
    let plain: Vec<u8> = value.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let turns = plain.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    let is_mixed = plain.iter().any(u8::is_ascii_digit) && plain.iter().any(u8::is_ascii_alphabetic);
    // Of chance, a third and more of the neighbours are of two kinds, and few characters of a short text are the same. Hexadecimal has fewer to choose from.
    let length = value.len() as f64;
    let least = if value.bytes().all(|byte| byte.is_ascii_hexdigit()) { 3.0 } else { (length.log2() - 0.4).min(MOST_EXPECTED) };
    is_mixed && turns * LEAST_TURNS >= plain.len() - 1 && entropy(value) >= least
}

/// Shannon's entropy in bits for each character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An example with its gaps filled: the same each time, and never a real secret in the repository.
    fn filled(example: &str, mut seed: u64) -> String {
        let mut out = String::new();
        let mut rest = example;
        while let Some(begin) = rest.find('{') {
            let gap = rest[begin..].find('}').map(|end| &rest[begin + 1..begin + end]);
            let read = gap.and_then(|gap| Some((gap.get(..1)?, gap.get(1..)?.parse::<usize>().ok()?)));
            let alphabet = match read {
                Some(("a", _)) => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                Some(("x", _)) => "0123456789abcdef",
                Some(("d", _)) => "9876543210",
                Some(("b", _)) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
                Some(("l", _)) => "abcdefghijklmnopqrstuvwxyz0123456789",
                Some(("q", _)) => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
                _ => "",
            };
            out.push_str(&rest[..begin]);
            if alphabet.is_empty() {
                out.push('{');
                rest = &rest[begin + 1..];
                continue;
            }
            for _ in 0..read.map_or(0, |(_, length)| length) {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                out.push(char::from(alphabet.as_bytes()[(seed >> 33) as usize % alphabet.len()]));
            }
            rest = &rest[begin + gap.map_or(1, str::len) + 2..];
        }
        out + rest
    }

    #[test]
    fn every_rule_knows_its_example_and_no_other_rule_takes_it() {
        let rules = Rules::builtin();
        assert!(rules.all.len() > 120, "{}", rules.all.len());
        let ids: BTreeSet<&str> = rules.all.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids.len(), rules.all.len());
        for rule in &rules.all {
            assert!(rule.regex().is_some(), "{}", rule.id);
            for seed in 1..20 {
                let text = format!("first line\nkey: {}\nlast", filled(&rule.example, seed));
                let found: Vec<&str> = rules.matches(&text).iter().map(|found| found.rule.id.as_str()).collect();
                assert_eq!(found, [rule.id.as_str()], "{text}");
            }
        }
    }

    #[test]
    fn values_named_like_secrets_are_found_in_every_form() {
        let rules = Rules::builtin();
        for form in [
            "DB_PASSWORD={v}\nNEXT=1",
            "export API_TOKEN={v}",
            "services:\n  db:\n    environment:\n      - DB_PASSWORD={v}\n",
            "      - \"DB_PASSWORD={v}\"\n",
            "db:\n  password: {v}\n",
            "db:\n  password: {v}   # of the shop\r\n  user: x",
            "db.password={v}\ndb.user=x",
            "[db]\npassword = {v}\n",
            "FROM scratch\nENV DB_PASSWORD={v}\n",
            "FROM scratch\nENV USER=x DB_PASSWORD={v} MODE=y\n",
            "ENV DB_PASSWORD {v}\n",
            "docker run -e DB_PASSWORD={v} shop",
            "cfg[\"password\"] = \"{v}\"",
            "cfg['db_password'] = '{v}'",
            "{\"password\": \"{v}\"}",
            "db_password = \"{v}\"",
            "<password>{v}</password>",
            "<db:password>\n  {v}\n</db:password>",
            "<property name=\"db.password\" value=\"{v}\"/>",
            "<bean password=\"{v}\"/>",
        ] {
            for value in ["Zx9kQ2mPv7Lw", "k3j9x2m4q8w1z7v5b0n6t4ra", "9vJp2LxQ7mRt4KwZ8nBc3HdF"] {
                let text = form.replace("{v}", value);
                let found: Vec<&str> = rules.matches(&text).iter().map(|found| &text[found.span.clone()]).collect();
                assert_eq!(found, [value], "{text}");
            }
        }
    }

    #[test]
    fn keys_and_passwords_are_found_as_they_are_escaped() {
        let rules = Rules::builtin();
        let key = filled("{a64}\n{a64}\n", 7);
        for end in ["\n", "\\n", "\\r\\n", "\\\\n"] {
            let text = format!("\"private_key\": \"-----BEGIN PRIVATE KEY-----\n{key}-----END PRIVATE KEY-----\n\"").replace('\n', end);
            assert_eq!(rules.matches(&text).iter().map(|found| found.rule.id.as_str()).collect::<Vec<_>>(), ["private-key"], "{text}");
        }
        for url in [
            "redis://:9vJp2LxQ7m@redis:6379/0",
            "POSTGRES://shop:9vJp2LxQ7m@db/shop",
            "amqp://shop%40acme:9vJp%40LxQ7m@mq",
            "postgres://shop:9v$Jp2Lx$Q7m@db",
            "postgres://shop:$9vJp2LxQ7m@db",
        ] {
            assert_eq!(rules.matches(url).iter().map(|found| found.rule.id.as_str()).collect::<Vec<_>>(), ["url-password"], "{url}");
        }
    }

    #[test]
    fn what_is_no_secret_is_left_alone() {
        let rules = Rules::builtin();
        for text in [
            "token: ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
            "password = \"${DATABASE_PASSWORD}\"",
            "password = os.environ[\"DATABASE_PASSWORD\"]",
            "const secret = \"please-change-this-later\"",
            "postgres://user:password@localhost/db",
            "https://example.com:8080/path@2x.png",
            "\"integrity\": \"sha512-HV1Cm0Q3ZrpCR93tkWOYiuYIgLxZXZFVG2VgK+MBWjUqZTundupbfx2aXarXuw5Ko5aMcjtJgbSs4vUGBS5v6g==\"",
            "-----BEGIN PRIVATE KEY-----\n...\n",
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n",
            "commit 4d8eb34a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e",
            "sk_live_ and rk_live_ are prefixes",
            "postgres://shop:${DB_PASSWORD}@db/shop",
            "postgres://shop:$DB_PASSWORD@db/shop",
            "postgres://shop:$(pass show db)@db/shop",
            "postgres://%s:%s@db/shop, postgres://{user}:{password}@db",
            "DB_PASSWORD=${DB_PASSWORD:-change}",
            "DB_PASSWORD=$DB_PASSWORD2_OF_SHOP",
            "password: ${{ secrets.DB_PASSWORD_2 }}",
            "password: {{ vault_password_42 }}",
            "password: !vault |",
            "password: ENC[AES256_GCM,data:9vJp2LxQ7mRt4KwZ,iv:abc]",
            "PASSWORD=os.environ[\"DB_PASSWORD\"]",
            "password = settings.DATABASE_PASSWORD_2",
            "token = getTokenOfUser2(request)",
            "token: string | undefined",
            "token: com.example.auth.TokenProvider2",
            "token_file: /run/secrets/db_token_2",
            "password=/run/secrets/db-9vJp2LxQ7m",
            "passwordEncoder: BCryptPasswordEncoder",
            "password: correct-horse-battery-staple",
            "secret: tls-certificate-of-shop-v2",
            "token: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "<password>TestPassword1</password>",
            "<password>use the one you were sent in 2026</password>",
            "<property name=\"db.password\" value=\"${db.password}\"/>",
            "const passwordInput2 = document.querySelector2",
            "The token is read from the environment of build2",
        ] {
            let found: Vec<&str> = rules.matches(text).iter().map(|found| found.rule.id.as_str()).collect();
            assert_eq!(found, Vec::<&str>::new(), "{text}");
        }
    }
}
