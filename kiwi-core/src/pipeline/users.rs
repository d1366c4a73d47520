//! People of an organization.

use super::events::one_line;
use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{Timestamp, User, UserName};
use crate::error::{Error, Result};

/// The longest name of a person, in characters.
const LONGEST: usize = 200;

/// Names are shown in terminals and pages.
pub(super) fn check(user: &User) -> Result<()> {
    if user.full_name.chars().count() > LONGEST || one_line(&user.full_name) != user.full_name {
        return Err(Error::invalid("add user", format!("the full name is longer than {LONGEST} characters, or has control characters in it")));
    }
    Ok(())
}

impl Kiwi {
    /// Adds a person.
    pub async fn add_user(&self, actor: &Actor, user: &User) -> Result<()> {
        actor.may(Operation::ChangeUsers)?;
        check(user)?;
        self.store().insert_user(&actor.organization, user).await
    }

    /// Every person, in name order.
    pub async fn users(&self, actor: &Actor) -> Result<Vec<User>> {
        actor.may(Operation::ReadUsers)?;
        self.store().users(&actor.organization).await
    }

    /// One person.
    pub async fn user(&self, actor: &Actor, name: &UserName) -> Result<User> {
        actor.may(Operation::ReadUsers)?;
        self.store().user(&actor.organization, name).await?.ok_or_else(|| missing("user", name))
    }

    /// Removes a person. Their API tokens end, for good: somebody of the same name may come later.
    ///
    /// Errors: `NotFound`, `Conflict` for the last admin.
    pub async fn remove_user(&self, actor: &Actor, name: &UserName) -> Result<()> {
        actor.may(Operation::ChangeUsers)?;
        self.store().remove_user(&actor.organization, name, Timestamp::now()).await
    }
}
