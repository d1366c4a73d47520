//! People of an organization.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{User, UserName};
use crate::error::Result;

impl Kiwi {
    /// Adds a person.
    pub async fn add_user(&self, actor: &Actor, user: &User) -> Result<()> {
        actor.may(Operation::ChangeUsers)?;
        self.store().insert_user(&actor.organization, user).await
    }

    /// Every person, in name order.
    pub async fn users(&self, actor: &Actor) -> Result<Vec<User>> {
        actor.may(Operation::ReadUsers)?;
        self.store().users(&actor.organization).await
    }

    /// Removes a person.
    pub async fn remove_user(&self, actor: &Actor, name: &UserName) -> Result<()> {
        actor.may(Operation::ChangeUsers)?;
        self.store().remove_user(&actor.organization, name).await
    }
}
