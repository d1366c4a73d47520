//! Accounts at a git host for the people of an organization: one result for each row, and safe to run again.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{Email, GitProviderKind, User, UserName};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{AccountOutcome, BoxStream, NewAccount};
use crate::secret::SecretString;
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// More rows than any organization has people; a larger file is another kind of file.
const MOST: usize = 100_000;

/// GitLab's shortest password.
const SHORTEST_PASSWORD: usize = 8;

/// A row of a list of people, before anything in it was judged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRow {
    /// The user name.
    #[serde(default)]
    pub username: String,
    /// The address.
    #[serde(default)]
    pub email: String,
    /// The person's name; the user name when absent.
    #[serde(default)]
    pub name: String,
    /// A first password; without one the host sends the person a link to choose one.
    #[serde(default)]
    pub password: Option<SecretString>,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountResult {
    /// The line of the file, or the number of the row.
    pub line: usize,
    /// The user name in it.
    pub username: String,
    /// How it ended; none when it failed.
    pub outcome: Option<AccountOutcome>,
    /// Why it failed.
    pub cause: Option<String>,
    /// What to do then.
    pub hint: Option<String>,
}

/// Rows with their lines, from CSV with a heading (`username,email,name,password`) or a JSON list of objects with these keys.
pub fn read_rows(text: &str) -> Result<Vec<(usize, AccountRow)>> {
    let fail =
        |message: String| Error::invalid("read accounts", message).with_hint("give CSV with the heading username,email,name or a JSON list of such objects");
    let text = text.trim_start_matches('\u{feff}');
    let rows = if text.trim_start().starts_with('[') {
        let rows: Vec<AccountRow> =
            serde_json::from_str(text).map_err(|error| fail(format!("the JSON cannot be read: line {}, column {}", error.line(), error.column())))?;
        rows.into_iter().enumerate().map(|(index, row)| (index + 1, row)).collect()
    } else {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
        let headings = reader.headers().map_err(|_| fail("the heading cannot be read".to_owned()))?;
        for needed in ["username", "email"] {
            if !headings.iter().any(|heading| heading == needed) {
                return Err(fail(format!("there is no column called {needed}")));
            }
        }
        // A misspelt heading would lose its column.
        if let Some(stranger) = headings.iter().find(|heading| !["username", "email", "name", "password"].contains(heading)) {
            let shown: String = stranger.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(fail(format!("there is a column that is not known: {shown}")));
        }
        let headings = headings.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            // The message of the CSV reader may quote the row, and with it a password.
            let record = record.map_err(|error| fail(format!("line {} cannot be read", error.position().map_or(0, csv::Position::line))))?;
            let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
            let mut row: AccountRow = record.deserialize(Some(&headings)).map_err(|_| fail(format!("line {line} cannot be read")))?;
            row.password = row.password.filter(|password| !password.expose_secret().is_empty());
            rows.push((line, row));
        }
        rows
    };
    match rows.len() {
        0 => Err(fail("there is no row".to_owned())),
        count if count > MOST => Err(Error::invalid("read accounts", format!("there are {count} rows; at most {MOST} are taken"))),
        _ => Ok(rows),
    }
}

/// The people of an organization as rows.
pub fn rows_of(users: &[User]) -> Vec<(usize, AccountRow)> {
    let row = |user: &User| AccountRow { username: user.name.to_string(), email: user.email.to_string(), name: user.full_name.clone(), password: None };
    users.iter().enumerate().map(|(index, user)| (index + 1, row(user))).collect()
}

/// Judges every row: what is malformed, weak or there twice has its line in the error.
pub fn judge(rows: Vec<(usize, AccountRow)>) -> Vec<(usize, String, Result<NewAccount>)> {
    let (mut names, mut addresses) = (HashMap::new(), HashMap::new());
    let mut judged = Vec::new();
    for (line, row) in rows {
        let shown = row.username.clone();
        let mut account = account(row);
        if let Ok(new) = &account {
            let twice = names.insert(new.username.as_str().to_ascii_lowercase(), line).map(|first| ("user name", first));
            let twice = addresses.insert(new.email.as_str().to_ascii_lowercase(), line).map(|first| ("address", first)).or(twice);
            if let Some((what, first)) = twice {
                account = Err(Error::invalid("create account", format!("the {what} is in line {first} already")));
            }
        }
        let account = account.map_err(|error| Error::invalid("create account", format!("line {line}: {}", error.message())).with_hint(error.hint().to_owned()));
        judged.push((line, shown, account));
    }
    judged
}

fn account(row: AccountRow) -> Result<NewAccount> {
    let username: UserName = row.username.parse()?;
    let email: Email = row.email.parse()?;
    let full_name = if row.name.trim().is_empty() { username.to_string() } else { row.name.trim().to_owned() };
    if full_name.chars().count() > 255 || full_name.chars().any(char::is_control) {
        return Err(Error::invalid("create account", "the name is longer than 255 characters or has a control character"));
    }
    if let Some(password) = &row.password {
        strong(password.expose_secret(), &username, &email)?;
    }
    Ok(NewAccount { username, email, full_name, password: row.password })
}

/// GitLab refuses weak passwords one by one, each after a request; these are found before.
fn strong(password: &str, username: &UserName, email: &Email) -> Result<()> {
    let weak = |why: String| Err(Error::invalid("create account", format!("the password {why}")).with_hint("leave it out, and the person chooses one by mail"));
    if password.chars().count() < SHORTEST_PASSWORD {
        return weak(format!("has fewer than {SHORTEST_PASSWORD} characters"));
    }
    let lower = password.to_lowercase();
    let local = email.as_str().split('@').next().unwrap_or_default().to_lowercase();
    if lower.contains(&username.as_str().to_lowercase()) || (local.len() >= 3 && lower.contains(&local)) {
        return weak("contains the user name or the address".to_owned());
    }
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 4
        || ["password", "passw0rd", "qwerty", "letmein", "welcome", "gitlab", "12345678", "abcdefg", "iloveyou"].iter().any(|word| lower.contains(word))
    {
        return weak("is one that everybody tries first".to_owned());
    }
    Ok(())
}

impl Kiwi {
    /// Creates the accounts that are missing, one after another, because the host counts requests. Each row has exactly one result, in order;
    /// a failed row does not stop the others. `prepare` sees every account before it is created, and may keep its password where it was asked to.
    pub async fn create_accounts(
        &self,
        actor: &Actor,
        kind: GitProviderKind,
        rows: Vec<(usize, AccountRow)>,
        mut prepare: impl FnMut(&mut NewAccount) -> Result<()> + Send + 'static,
        mut settle: impl FnMut(&NewAccount, Option<AccountOutcome>) -> Result<()> + Send + 'static,
    ) -> Result<BoxStream<Result<AccountResult>>> {
        actor.may(Operation::CreateAccounts)?;
        let git = self.git_provider(actor, kind).await?;
        if !git.capabilities().create_accounts {
            return Err(Error::new(ErrorKind::Unsupported, "create accounts", format!("{} does not let others create accounts", kind.title())));
        }
        let (sender, receiver) = tokio::sync::mpsc::channel(16);
        tokio::spawn(async move {
            for (line, username, account) in judge(rows) {
                let outcome = match account {
                    Ok(mut account) => {
                        let created = async {
                            prepare(&mut account)?;
                            git.create_account(&account).await
                        };
                        let created = created.await;
                        match settle(&account, created.as_ref().ok().copied()) {
                            Ok(()) => created,
                            Err(error) => Err(error),
                        }
                    }
                    Err(error) => Err(error),
                };
                let fatal = outcome.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::Storage));
                let result = match outcome {
                    Ok(outcome) => AccountResult { line, username, outcome: Some(outcome), cause: None, hint: None },
                    Err(error) if fatal => {
                        // Every further row would fail the same way, and a host bans who tries too often.
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                    Err(error) => AccountResult { line, username, outcome: None, cause: Some(error.message().to_owned()), hint: Some(error.hint().to_owned()) },
                };
                if sender.send(Ok(result)).await.is_err() {
                    return;
                }
            }
        });
        Ok(tokio_stream::wrappers::ReceiverStream::new(receiver).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_duplicate_rows_are_named_by_line() {
        let text = "username,email,name,password\nada,ada@example.com,Ada Lovelace,\ngrace,grace@example.com,Grace,short\nADA,other@example.com,Ada,\n\
                    alan,Ada@example.com,Alan,\nkurt,kurt@example.com,Kurt,kurt-has-a-secret\nemmy,nobody,Emmy,\nsofia,sofia@example.com,,correct horse 9\n";
        let judged = judge(read_rows(text).unwrap());
        let errors: Vec<_> = judged.iter().map(|(line, _, account)| (*line, account.as_ref().err().map(|error| error.message().to_owned()))).collect();
        let expected = [
            (2, None),
            (3, Some("line 3: the password has fewer than 8 characters")),
            (4, Some("line 4: the user name is in line 2 already")),
            (5, Some("line 5: the address is in line 2 already")),
            (6, Some("line 6: the password contains the user name or the address")),
        ];
        for (line, error) in expected {
            assert!(errors.contains(&(line, error.map(str::to_owned))), "{line}: {errors:?}");
        }
        assert!(errors[5].1.as_ref().is_some_and(|error| error.starts_with("line 7: ")), "{errors:?}");
        let sofia = judged[6].2.as_ref().unwrap();
        assert_eq!(sofia.full_name, "sofia");
        assert!(!format!("{judged:?}").contains("horse"));
    }

    #[test]
    fn both_forms_are_read_and_others_refused() {
        assert_eq!(read_rows("\u{feff}[{\"username\":\"ada\",\"email\":\"ada@example.com\"}]").unwrap().len(), 1);
        assert_eq!(read_rows("[{\"username\":\"ada\",\"email\":\"ada@example.com\"}]").unwrap().len(), 1);
        for text in [
            "",
            "[]",
            "username,email\n",
            "name,mail\nx,y\n",
            "[{\"username\":1}]",
            "{}",
            "username,email,pasword\na,b,c\n",
            "[{\"username\":\"a\",\"admin\":true}]",
        ] {
            assert!(read_rows(text).is_err(), "{text:?}");
        }
    }
}
