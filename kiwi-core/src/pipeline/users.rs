//! People of an organization.

use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{Timestamp, User, UserName};
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

    /// One person.
    pub async fn user(&self, actor: &Actor, name: &UserName) -> Result<User> {
        actor.may(Operation::ReadUsers)?;
        self.store().user(&actor.organization, name).await?.ok_or_else(|| missing("user", name))
    }

    /// Removes a person. Their API tokens end, for good: somebody of the same name may come later.
    pub async fn remove_user(&self, actor: &Actor, name: &UserName) -> Result<()> {
        actor.may(Operation::ChangeUsers)?;
        for token in self.store().tokens(&actor.organization, Some(name)).await? {
            self.store().revoke_token(&actor.organization, &token.id, Timestamp::now()).await?;
        }
        self.store().remove_user(&actor.organization, name).await
    }
}
