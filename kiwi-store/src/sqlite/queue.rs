//! The next run to work, whoever owns it.

use super::{SqliteStore, sql, text};
use kiwi_core::domain::{OrganizationId, Run, RunId, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::Fence;
use kiwi_core::provider::store::{Claim, RunStore as _};
use sqlx::Row as _;
use std::time::Duration;

/// Held slots with what they are of; runs that are first of a slot nobody holds; those of runtimes with room, of the service with the fewest under way.
const NEXT: &str = "WITH held AS ( \
        SELECT r.service, v.organization, coalesce(v.build_runtime, v.runtime) AS runtime \
        FROM slots s JOIN runs r ON r.id = s.run JOIN services v ON v.id = r.service WHERE s.held = 1 AND s.until > ?1 \
    ), first AS (SELECT slot, min(id) AS id FROM runs WHERE finished = 0 GROUP BY slot) \
    SELECT r.id, r.slot, r.organization FROM first f JOIN runs r ON r.id = f.id JOIN services v ON v.id = r.service \
    LEFT JOIN slots s ON s.slot = f.slot AND s.held = 1 AND s.until > ?1 \
    WHERE s.slot IS NULL \
    AND (SELECT count(*) FROM held h WHERE h.organization = v.organization AND h.runtime = coalesce(v.build_runtime, v.runtime)) < ?2 \
    ORDER BY (SELECT count(*) FROM held h WHERE h.service = r.service), r.id LIMIT 1";

impl SqliteStore {
    pub(super) async fn next_run(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>> {
        // Only who finds something takes the lock for writing.
        let mut transaction = match sqlx::query(NEXT).bind(Timestamp::now().as_millis()).bind(i64::from(per_runtime)).fetch_optional(&self.pool).await {
            Ok(None) => return Ok(None),
            Ok(Some(_)) => self.write().await?,
            Err(error) => return Err(sql("take run")(error)),
        };
        let row = sqlx::query(NEXT)
            .bind(Timestamp::now().as_millis())
            .bind(i64::from(per_runtime))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("take run"))?;
        let Some(row) = row else { return Ok(None) };
        let (id, slot): (RunId, String) = (row.get::<&str, _>(0).parse()?, row.get(1));
        let organization: OrganizationId = row.get::<&str, _>(2).parse()?;
        let claim = super::runs::claim(&mut transaction, &slot, &id, owner, lease).await?;
        transaction.commit().await.map_err(sql("take run"))?;
        let Claim::Held(fence) = claim else { return Ok(None) };
        Ok(self.run(&id).await?.map(|run| (organization, run, fence)))
    }

    pub(super) async fn forget_runs(&self, ids: &[RunId]) -> Result<u64> {
        let mut removed = 0;
        // Small transactions: events go with their run, and somebody else wants to write too.
        for ids in ids.chunks(16) {
            let mut transaction = self.write().await?;
            for id in ids {
                let done = sqlx::query("DELETE FROM runs WHERE id = ? AND finished = 1").bind(text(id)).execute(&mut *transaction).await;
                removed += done.map_err(sql("remove runs"))?.rows_affected();
            }
            transaction.commit().await.map_err(sql("remove runs"))?;
        }
        Ok(removed)
    }
}
