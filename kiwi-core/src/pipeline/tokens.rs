//! API tokens: who a caller is, and the tokens that say so.

use super::{Kiwi, missing};
use crate::access::{Actor, Operation, Role, Scope};
use crate::domain::{ApiToken, OrganizationId, Timestamp, TokenId, TokenName, User, UserName};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::store::KeptToken;
use crate::secret::SecretString;
use crate::token::TokenText;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often the use of a token is written down: a store should not write with every request.
const NOTED: Duration = Duration::from_secs(60);

/// How long a bootstrap token works.
const BOOTSTRAP: Duration = Duration::from_secs(24 * 60 * 60);

/// A token to make.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose it will be.
    pub user: UserName,
    /// What it is for.
    pub name: TokenName,
    /// What it may be used for: at least one of [`Scope::CHOICES`].
    pub scopes: BTreeSet<Scope>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

impl Kiwi {
    /// Makes a token and answers its value, which is never seen again. Users make their own; an admin makes those of others too.
    ///
    /// Errors: `NotFound` when there is no such user, `InvalidInput` without a scope or with an end in the past.
    pub async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<(ApiToken, SecretString)> {
        self.may_change_tokens_of(actor, &new.user)?;
        let now = Timestamp::now();
        if new.scopes.is_empty() || new.scopes.contains(&Scope::Bootstrap) {
            return Err(Error::invalid("create token", "a token needs a scope").with_hint("choose read, deploy or admin"));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("create token", "the token would have ended already").with_hint("choose an end in the future"));
        }
        let user = self.store().user(&actor.organization, &new.user).await?.ok_or_else(|| missing("user", &new.user))?;
        self.keep_token(&actor.organization, NewToken { user: user.name, ..new }, now).await
    }

    /// The actor's own tokens; with `all`, everybody's. Oldest first.
    pub async fn tokens(&self, actor: &Actor, all: bool) -> Result<Vec<ApiToken>> {
        actor.may(if all { Operation::ChangeTokens } else { Operation::UseTokens })?;
        let own = match all {
            true => None,
            // The embedded engine's people need no name that a git host would take.
            false => match actor.name.parse::<UserName>() {
                Ok(name) => Some(name),
                Err(_) => return Ok(Vec::new()),
            },
        };
        self.store().tokens(&actor.organization, own.as_ref()).await
    }

    /// One token of the actor, or of anybody for an admin.
    pub async fn token(&self, actor: &Actor, id: &TokenId) -> Result<ApiToken> {
        actor.may(Operation::UseTokens)?;
        let mine = |kept: &KeptToken| kept.organization == actor.organization && self.may_change_tokens_of(actor, &kept.token.user).is_ok();
        self.store().token(id).await?.filter(mine).map(|kept| kept.token).ok_or_else(|| missing("token", id))
    }

    /// Ends a token of the actor, or of anybody for an admin. It opens nothing from now on.
    pub async fn revoke_token(&self, actor: &Actor, id: &TokenId) -> Result<ApiToken> {
        self.token(actor, id).await?;
        self.store().revoke_token(&actor.organization, id, Timestamp::now()).await?;
        self.token(actor, id).await
    }

    /// Who comes with this text, and the token that it is; none when it opens nothing. An unknown token costs as much work as a known one.
    pub async fn authenticate(&self, text: &str) -> Result<Option<(Actor, TokenId)>> {
        let Some(text) = TokenText::parse(text) else { return Ok(None) };
        let now = Timestamp::now();
        let kept = self.store().token(text.id()).await?;
        let stranger = || TokenText::generate(text.id().clone()).hash();
        let fits = kept.as_ref().map_or_else(stranger, |kept| kept.hash.clone()).matches(&text);
        let Some(kept) = kept.filter(|kept| fits && kept.token.is_valid(now) && !kept.is_bootstrap()) else { return Ok(None) };
        let Some(user) = self.store().user(&kept.organization, &kept.token.user).await? else { return Ok(None) };
        if kept.token.last_used_at.is_none_or(|before| now.since(before) >= NOTED) {
            self.store().use_token(text.id(), now).await?;
        }
        let actor = Actor { name: user.name.to_string(), role: user.role, organization: kept.organization, scopes: kept.token.scopes };
        Ok(Some((actor, kept.token.id)))
    }

    /// Whether a token still lets this actor in, as it did when they came.
    pub async fn is_still(&self, actor: &Actor, id: &TokenId) -> Result<bool> {
        let Some(kept) = self.store().token(id).await?.filter(|kept| kept.token.is_valid(Timestamp::now())) else { return Ok(false) };
        let user = self.store().user(&kept.organization, &kept.token.user).await?;
        Ok(user.is_some_and(|user| user.role == actor.role && user.name.as_str() == actor.name))
    }

    /// A token that makes the first admin, once and within a day; none when there is an admin. Each call makes another one: what was printed
    /// before may be lost.
    pub async fn offer_bootstrap(&self) -> Result<Option<SecretString>> {
        let organization = OrganizationId::default();
        if self.has_admin(&organization).await? {
            return Ok(None);
        }
        let now = Timestamp::now();
        let new =
            NewToken { user: "bootstrap".parse()?, name: "bootstrap".parse()?, scopes: [Scope::Bootstrap].into(), expires_at: Some(now.after(BOOTSTRAP)) };
        Ok(Some(self.keep_token(&organization, new, now).await?.1))
    }

    /// Makes the first admin and a token for them, in exchange for the bootstrap token.
    ///
    /// Errors: `Unauthenticated` for another token or one that was used, `Conflict` when there is an admin, `AlreadyExists` when the name is taken; the
    /// token then still works.
    pub async fn bootstrap(&self, text: &str, user: &User) -> Result<(ApiToken, SecretString)> {
        let refused = || {
            Error::new(ErrorKind::Unauthenticated, "make first admin", "this is not the bootstrap token, or it was used already")
                .with_hint("start the server again: it prints a new one as long as there is no admin")
        };
        let text = TokenText::parse(text).ok_or_else(refused)?;
        let now = Timestamp::now();
        let kept = self.store().token(text.id()).await?;
        let kept = kept.filter(|kept| kept.hash.matches(&text) && kept.token.is_valid(now) && kept.is_bootstrap());
        let organization = kept.ok_or_else(refused)?.organization;
        super::users::check(user)?;
        let user = User { role: Role::Admin, ..user.clone() };
        let new = NewToken { user: user.name.clone(), name: "first token".parse()?, scopes: [Scope::Admin].into(), expires_at: None };
        let (kept, value) = made(&organization, new, now);
        let done = self.store().insert_first_admin(text.id(), &user, &kept).await;
        done.map_err(|error| if error.kind() == ErrorKind::NotFound { refused() } else { error })?;
        Ok((kept.token, value))
    }

    async fn has_admin(&self, organization: &OrganizationId) -> Result<bool> {
        Ok(self.store().users(organization).await?.iter().any(|user| user.role == Role::Admin))
    }

    fn may_change_tokens_of(&self, actor: &Actor, user: &UserName) -> Result<()> {
        let own = actor.name.eq_ignore_ascii_case(user.as_str());
        actor.may(if own { Operation::UseTokens } else { Operation::ChangeTokens })
    }

    async fn keep_token(&self, organization: &OrganizationId, new: NewToken, now: Timestamp) -> Result<(ApiToken, SecretString)> {
        let (kept, value) = made(organization, new, now);
        self.store().insert_token(&kept).await?;
        Ok((kept.token, value))
    }
}

/// A token and its value.
fn made(organization: &OrganizationId, new: NewToken, now: Timestamp) -> (KeptToken, SecretString) {
    let text = TokenText::generate(TokenId::generate());
    let token = ApiToken {
        id: text.id().clone(),
        user: new.user,
        name: new.name,
        scopes: new.scopes,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    (KeptToken { organization: organization.clone(), hash: text.hash(), token }, text.into_secret())
}
