//! Tokens, the audit log and idempotency keys of the reference store.

use super::lock;
use super::store::{MemoryStore, exists, missing};
use crate::access::Role;
use crate::domain::{ApiToken, AuditEntry, OrganizationId, SecretId, Timestamp, TokenId, User, UserName};
use crate::error::Result;
use crate::provider::store::{AuditFilter, AuditStore, KeptToken, KeyClaim, KeyStore, TokenStore, admin_exists};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// What [`MemoryStore`] keeps of these.
#[derive(Debug, Default)]
pub(super) struct AccessState {
    tokens: BTreeMap<TokenId, KeptToken>,
    audit: Vec<(OrganizationId, AuditEntry)>,
    keys: BTreeMap<(OrganizationId, String), Key>,
}

#[derive(Debug)]
struct Key {
    fingerprint: String,
    answer: Option<SecretId>,
    until: Timestamp,
}

impl AccessState {
    /// Ends the tokens of a person who goes.
    pub(super) fn revoke_all(&mut self, organization: &OrganizationId, user: &UserName, at: Timestamp) {
        let of = |kept: &&mut KeptToken| kept.organization == *organization && kept.token.user.as_str().eq_ignore_ascii_case(user.as_str());
        self.tokens.values_mut().filter(of).for_each(|kept| kept.token.revoked_at = kept.token.revoked_at.or(Some(at)));
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn insert_token(&self, token: &KeptToken) -> Result<()> {
        let state = lock(&self.state);
        let tokens = &mut self.access().tokens;
        if tokens.contains_key(&token.token.id) {
            return Err(exists("insert token", &token.token.id));
        }
        if !token.is_bootstrap() && !state.users.contains_key(&(token.organization.clone(), token.token.user.as_str().to_ascii_lowercase())) {
            return Err(missing("insert token", &token.token.user));
        }
        tokens.insert(token.token.id.clone(), token.clone());
        Ok(())
    }

    async fn token(&self, id: &TokenId) -> Result<Option<KeptToken>> {
        Ok(self.access().tokens.get(id).cloned())
    }

    async fn tokens<'a>(&self, organization: &OrganizationId, user: Option<&'a UserName>) -> Result<Vec<ApiToken>> {
        let of = |kept: &&KeptToken| kept.organization == *organization && user.is_none_or(|user| kept.token.user.as_str().eq_ignore_ascii_case(user.as_str()));
        Ok(self.access().tokens.values().filter(of).map(|kept| kept.token.clone()).collect())
    }

    async fn use_token(&self, id: &TokenId, at: Timestamp) -> Result<()> {
        if let Some(kept) = self.access().tokens.get_mut(id) {
            kept.token.last_used_at = Some(at);
        }
        Ok(())
    }

    async fn revoke_token(&self, organization: &OrganizationId, id: &TokenId, at: Timestamp) -> Result<()> {
        match self.access().tokens.get_mut(id).filter(|kept| kept.organization == *organization) {
            Some(kept) => {
                kept.token.revoked_at.get_or_insert(at);
                Ok(())
            }
            None => Err(missing("revoke token", id)),
        }
    }

    async fn insert_first_admin(&self, bootstrap: &TokenId, admin: &User, token: &KeptToken) -> Result<()> {
        let mut state = lock(&self.state);
        let tokens = &mut self.access().tokens;
        if state.users.iter().any(|((owner, _), user)| *owner == token.organization && user.role == Role::Admin) {
            return Err(admin_exists());
        }
        let key = (token.organization.clone(), admin.name.as_str().to_ascii_lowercase());
        if state.users.contains_key(&key) {
            return Err(exists("insert user", &admin.name));
        }
        tokens.remove(bootstrap).ok_or_else(|| missing("insert first admin", bootstrap))?;
        state.users.insert(key, admin.clone());
        tokens.insert(token.token.id.clone(), token.clone());
        Ok(())
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn append_audit(&self, organization: &OrganizationId, entry: &AuditEntry) -> Result<()> {
        self.access().audit.push((organization.clone(), entry.clone()));
        Ok(())
    }

    async fn audit(&self, organization: &OrganizationId, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        let mut entries: Vec<AuditEntry> = self.access().audit.iter().filter(|(owner, _)| owner == organization).map(|(_, entry)| entry.clone()).collect();
        entries.sort_by(|a, b| b.id.cmp(&a.id));
        let wanted = |entry: &AuditEntry| {
            filter.before.as_ref().is_none_or(|before| entry.id < *before) && filter.actor.as_ref().is_none_or(|actor| entry.actor == *actor)
        };
        let limit = filter.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(entries.into_iter().filter(wanted).take(limit).collect())
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn claim_key(&self, organization: &OrganizationId, key: &str, fingerprint: &str, now: Timestamp, until: Timestamp) -> Result<KeyClaim> {
        let keys = &mut self.access().keys;
        let place = (organization.clone(), key.to_owned());
        let Some(kept) = keys.get(&place) else {
            keys.insert(place, Key { fingerprint: fingerprint.to_owned(), answer: None, until });
            return Ok(KeyClaim::New);
        };
        Ok(KeyClaim::of(kept.fingerprint == fingerprint, kept.answer.as_ref(), kept.until <= now))
    }

    async fn answer_key(&self, organization: &OrganizationId, key: &str, answer: &SecretId, until: Timestamp) -> Result<()> {
        if let Some(kept) = self.access().keys.get_mut(&(organization.clone(), key.to_owned())) {
            (kept.answer, kept.until) = (Some(answer.clone()), until);
        }
        Ok(())
    }

    async fn forget_key(&self, organization: &OrganizationId, key: &str) -> Result<()> {
        let keys = &mut self.access().keys;
        let place = (organization.clone(), key.to_owned());
        if keys.get(&place).is_some_and(|kept| kept.answer.is_none()) {
            keys.remove(&place);
        }
        Ok(())
    }

    async fn expire_keys(&self, now: Timestamp, abandoned: Timestamp) -> Result<Vec<SecretId>> {
        let keys = &mut self.access().keys;
        let is_over = |kept: &Key| kept.until <= if kept.answer.is_some() { now } else { abandoned };
        let over: Vec<_> = keys.iter().filter(|(_, kept)| is_over(kept)).map(|(place, _)| place.clone()).collect();
        Ok(over.iter().filter_map(|place| keys.remove(place)?.answer).collect())
    }
}
