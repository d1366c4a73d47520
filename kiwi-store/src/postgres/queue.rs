//! The next run to work, whoever owns it.

use super::session::Work;
use super::{PostgresStore, sql, text};
use kiwi_core::domain::{OrganizationId, Run, RunId};
use kiwi_core::error::Result;
use kiwi_core::provider::Fence;
use kiwi_core::provider::store::{Claim, RunStore as _};
use sqlx::Row as _;
use std::time::Duration;

/// Runs that are first of a slot nobody holds, on a runtime with room, of the service with the fewest under way. The runtime is locked, so that two
/// replicas do not both take its last place; one that another replica has locked is passed over.
const NEXT: &str = "WITH held AS ( \
        SELECT r.service, v.organization, coalesce(v.build_runtime, v.runtime) AS runtime \
        FROM slots s JOIN runs r ON r.id = s.run JOIN services v ON v.id = r.service WHERE s.held AND s.until > clock_timestamp() \
    ), first AS (SELECT slot, min(id) AS id FROM runs WHERE NOT finished GROUP BY slot) \
    SELECT r.id, r.slot, r.organization, t.name FROM first f JOIN runs r ON r.id = f.id JOIN services v ON v.id = r.service \
    JOIN runtimes t ON t.organization = v.organization AND t.name = coalesce(v.build_runtime, v.runtime) \
    WHERE NOT EXISTS (SELECT 1 FROM slots s WHERE s.slot = f.slot AND s.held AND s.until > clock_timestamp()) \
    AND (SELECT count(*) FROM held h WHERE h.organization = v.organization AND h.runtime = t.name) < $1 \
    ORDER BY (SELECT count(*) FROM held h WHERE h.service = r.service), r.id LIMIT 1 FOR UPDATE OF t SKIP LOCKED";

/// How many are worked on a runtime, as it is now that nobody else can take one.
const UNDER_WAY: &str = "SELECT count(*) FROM slots s JOIN runs r ON r.id = s.run JOIN services v ON v.id = r.service \
    WHERE s.held AND s.until > clock_timestamp() AND v.organization = $1 AND coalesce(v.build_runtime, v.runtime) = $2";

impl PostgresStore {
    pub(super) async fn next_run(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>> {
        let taken = self.write("take run", |work| Box::pin(take(work, owner, lease, i64::from(per_runtime)))).await?;
        let Some((organization, id, fence)) = taken else { return Ok(None) };
        Ok(self.run(&id).await?.map(|run| (organization, run, fence)))
    }

    pub(super) async fn forget_runs(&self, ids: &[RunId]) -> Result<u64> {
        let ids: &Vec<&str> = &ids.iter().map(text).collect();
        self.write_much("remove runs", |mut work| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM runs WHERE id = ANY($1) AND finished").bind(ids).execute(&mut *work).await;
                done.map(|done| done.rows_affected()).map_err(sql("remove runs"))
            })
        })
        .await
    }
}

async fn take(mut work: Work<'_, '_>, owner: &str, lease: Duration, per_runtime: i64) -> Result<Option<(OrganizationId, RunId, Fence)>> {
    let Some(row) = sqlx::query(NEXT).bind(per_runtime).fetch_optional(&mut *work).await.map_err(sql("take run"))? else { return Ok(None) };
    let (id, slot): (RunId, &str) = (row.get::<&str, _>(0).parse()?, row.get(1));
    let (organization, runtime): (OrganizationId, &str) = (row.get::<&str, _>(2).parse()?, row.get(3));
    let now = sqlx::query(UNDER_WAY).bind(organization.as_str()).bind(runtime).fetch_one(&mut *work).await.map_err(sql("take run"))?;
    if now.get::<i64, _>(0) >= per_runtime {
        return Ok(None);
    }
    // It was the first when the statement began; another replica may have finished it since.
    let waits = sqlx::query("SELECT 1 FROM runs WHERE id = $1 AND NOT finished").bind(text(&id)).fetch_optional(&mut *work).await.map_err(sql("take run"))?;
    match super::runs::claim(&mut work, slot, &id, owner, lease).await? {
        Claim::Held(fence) if waits.is_some() => Ok(Some((organization, id, fence))),
        Claim::Held(fence) => super::runs::give_back(&mut work, &fence).await.map(|()| None),
        Claim::Busy { .. } => Ok(None),
    }
}
