//! Tokens, the audit log and idempotency keys of the reference store.

use super::store::{MemoryStore, exists, missing};
use crate::domain::{ApiToken, AuditEntry, OrganizationId, SecretId, Timestamp, TokenId, UserName};
use crate::error::Result;
use crate::provider::store::{AuditFilter, AuditStore, KeptToken, KeyClaim, KeyStore, TokenStore};
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

#[async_trait]
impl TokenStore for MemoryStore {
    async fn insert_token(&self, token: &KeptToken) -> Result<()> {
        let tokens = &mut self.access().tokens;
        if tokens.contains_key(&token.token.id) {
            return Err(exists("insert token", &token.token.id));
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

    async fn remove_token(&self, id: &TokenId) -> Result<()> {
        self.access().tokens.remove(id).map(|_| ()).ok_or_else(|| missing("remove token", id))
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
        match keys.get(&place) {
            Some(kept) if kept.until > now => Ok(match &kept.answer {
                _ if kept.fingerprint != fingerprint => KeyClaim::Different,
                Some(answer) => KeyClaim::Answered(answer.clone()),
                None => KeyClaim::Busy,
            }),
            // An answer that is over its time is still `expire_keys`'s to name.
            Some(kept) if kept.answer.is_some() => Ok(KeyClaim::Busy),
            _ => {
                keys.insert(place, Key { fingerprint: fingerprint.to_owned(), answer: None, until });
                Ok(KeyClaim::New)
            }
        }
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

    async fn expire_keys(&self, now: Timestamp) -> Result<Vec<SecretId>> {
        let keys = &mut self.access().keys;
        let over: Vec<_> = keys.iter().filter(|(_, kept)| kept.until <= now).map(|(place, _)| place.clone()).collect();
        Ok(over.iter().filter_map(|place| keys.remove(place)?.answer).collect())
    }
}
