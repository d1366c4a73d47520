//! Runs, their leases and their events.

use super::{SqliteStore, sql, text};
use crate::record::{heads, integer, read_json, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{Event, EventBody, OrganizationId, Run, RunId, RunStatus, StageReports, Timestamp};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Fence;
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{Claim, EventStore, ReportStore, RunFilter, RunStore};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, SqliteConnection};
use std::time::Duration;

fn run(row: &SqliteRow) -> Result<Run> {
    let mut run: Run = read_json(row.get::<&str, _>(0))?;
    // The worker that writes the body may not know yet that somebody asked to cancel.
    run.cancel_requested = row.get::<i64, _>(1) != 0;
    Ok(run)
}

pub(super) async fn insert(connection: &mut SqliteConnection, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()> {
    sqlx::query("INSERT INTO runs (id, organization, service, slot, finished, cancel_requested, body) VALUES (?, ?, ?, ?, ?, 0, ?)")
        .bind(text(&run.id))
        .bind(organization.as_str())
        .bind(run.service.as_str())
        .bind(slot)
        .bind(i64::from(run.status.is_final()))
        .bind(write_json(run)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(sql("insert run"))
}

/// In a transaction that has the lock for writing.
pub(super) async fn claim(connection: &mut SqliteConnection, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim> {
    let now = Timestamp::now();
    let row = sqlx::query("SELECT owner, run, epoch, until, held FROM slots WHERE slot = ?")
        .bind(slot)
        .fetch_optional(&mut *connection)
        .await
        .map_err(sql("claim run"))?;
    let epoch = match &row {
        Some(row) => {
            let until = Timestamp::from_millis(row.get("until"));
            if row.get::<i64, _>("held") != 0 && until > now {
                let holder: String = row.get("run");
                return Ok(Claim::Busy { owner: row.get("owner"), run: holder.parse()?, until });
            }
            row.get::<i64, _>("epoch") + 1
        }
        None => 1,
    };
    sqlx::query(
        "INSERT INTO slots (slot, owner, run, epoch, until, held) VALUES (?, ?, ?, ?, ?, 1) \
                 ON CONFLICT DO UPDATE SET owner = excluded.owner, run = excluded.run, epoch = excluded.epoch, until = excluded.until, held = 1",
    )
    .bind(slot)
    .bind(owner)
    .bind(text(run))
    .bind(epoch)
    .bind(now.after(lease).as_millis())
    .execute(&mut *connection)
    .await
    .map_err(sql("claim run"))?;
    Ok(Claim::Held(Fence { slot: slot.to_owned(), owner: owner.to_owned(), epoch: u64::try_from(epoch).unwrap_or(0) }))
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn insert_run(&self, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()> {
        let mut connection = self.pool.acquire().await.map_err(sql("insert run"))?;
        insert(&mut connection, organization, slot, run).await?;
        self.announcer.tell(Change::Run(run.id.clone()));
        Ok(())
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>> {
        let row =
            sqlx::query("SELECT body, cancel_requested FROM runs WHERE id = ?").bind(text(id)).fetch_optional(&self.pool).await.map_err(sql("read run"))?;
        row.as_ref().map(run).transpose()
    }

    async fn runs(&self, organization: &OrganizationId, filter: &RunFilter) -> Result<Vec<Run>> {
        // One text per shape of filter: a condition that may be absent would keep SQLite from every index.
        let mut query = QueryBuilder::new("SELECT body, cancel_requested FROM runs WHERE organization = ");
        query.push_bind(organization.as_str());
        if filter.unfinished {
            query.push(" AND finished = 0");
        }
        if let Some(service) = &filter.service {
            query.push(" AND service = ").push_bind(service.as_str());
        }
        if let Some(slot) = &filter.slot {
            query.push(" AND slot = ").push_bind(slot.as_str());
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(text(before));
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(filter.limit.map_or(-1, i64::from));
        let rows = query.build().fetch_all(&self.pool).await.map_err(sql("list runs"))?;
        rows.iter().map(run).collect()
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, RunId)>> {
        let query = sqlx::query("SELECT organization, MIN(id) FROM runs INDEXED BY runs_unfinished WHERE finished = 0 GROUP BY slot ORDER BY 2");
        heads(query.fetch_all(&self.pool).await.map_err(sql("read queue"))?.iter().map(|row| (row.get(0), row.get(1))))
    }

    async fn slot(&self, id: &RunId) -> Result<Option<String>> {
        let row = sqlx::query("SELECT slot FROM runs WHERE id = ?").bind(text(id)).fetch_optional(&self.pool).await.map_err(sql("read run"))?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn claim(&self, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim> {
        let mut transaction = self.write().await?;
        let claimed = claim(&mut transaction, slot, run, owner, lease).await?;
        transaction.commit().await.map_err(sql("claim run"))?;
        Ok(claimed)
    }

    async fn renew(&self, fence: &Fence, lease: Duration) -> Result<bool> {
        let mut transaction = self.write_fenced(fence).await?;
        sqlx::query("UPDATE slots SET until = ? WHERE slot = ?")
            .bind(Timestamp::now().after(lease).as_millis())
            .bind(&fence.slot)
            .execute(&mut *transaction)
            .await
            .map_err(sql("renew lease"))?;
        let row = sqlx::query("SELECT cancel_requested FROM runs WHERE id = (SELECT run FROM slots WHERE slot = ?)")
            .bind(&fence.slot)
            .fetch_optional(&mut *transaction)
            .await;
        let cancel = row.map_err(sql("renew lease"))?.is_some_and(|row| row.get::<i64, _>(0) != 0);
        transaction.commit().await.map_err(sql("renew lease"))?;
        Ok(cancel)
    }

    async fn release(&self, fence: &Fence) -> Result<()> {
        let row = sqlx::query("UPDATE slots SET held = 0 WHERE slot = ? AND owner = ? AND epoch = ? RETURNING run")
            .bind(&fence.slot)
            .bind(&fence.owner)
            .bind(integer(fence.epoch))
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("release lease"))?;
        if let Some(row) = row {
            self.announcer.tell(Change::Run(row.get::<&str, _>(0).parse()?));
        }
        Ok(())
    }

    async fn update_run(&self, run: &Run, fence: &Fence) -> Result<()> {
        let mut transaction = self.write_fenced(fence).await?;
        let done = sqlx::query("UPDATE runs SET finished = ?, body = ? WHERE id = ? AND finished = 0")
            .bind(i64::from(run.status.is_final()))
            .bind(write_json(run)?)
            .bind(text(&run.id))
            .execute(&mut *transaction)
            .await
            .map_err(sql("write run"))?;
        if done.rows_affected() == 0 {
            return Err(Error::new(ErrorKind::Cancelled, "write run", "somebody cancelled the run"));
        }
        transaction.commit().await.map_err(sql("write run"))?;
        self.announcer.tell(Change::Run(run.id.clone()));
        Ok(())
    }

    async fn take(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>> {
        self.next_run(owner, lease, per_runtime).await
    }

    async fn remove_runs(&self, ids: &[RunId]) -> Result<u64> {
        self.forget_runs(ids).await
    }

    async fn request_cancel(&self, id: &RunId) -> Result<()> {
        let mut transaction = self.write().await?;
        let row = sqlx::query("SELECT body, cancel_requested FROM runs WHERE id = ? AND finished = 0").bind(text(id)).fetch_optional(&mut *transaction).await;
        if let Some(row) = row.map_err(sql("cancel run"))? {
            let mut waiting = run(&row)?;
            if waiting.status == RunStatus::Queued {
                (waiting.status, waiting.finished_at) = (RunStatus::Cancelled, Some(Timestamp::now()));
            }
            sqlx::query("UPDATE runs SET cancel_requested = 1, finished = ?, body = ? WHERE id = ?")
                .bind(i64::from(waiting.status.is_final()))
                .bind(write_json(&waiting)?)
                .bind(text(id))
                .execute(&mut *transaction)
                .await
                .map_err(sql("cancel run"))?;
            transaction.commit().await.map_err(sql("cancel run"))?;
            self.announcer.tell(Change::Run(id.clone()));
            return Ok(());
        }
        drop(transaction);
        match self.run(id).await? {
            Some(run) => Err(Error::new(ErrorKind::Conflict, "cancel run", format!("run {id} is {} already", run.status.as_str()))),
            None => Err(Error::new(ErrorKind::NotFound, "cancel run", format!("there is no run {id}"))),
        }
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn append_events(&self, run: &RunId, events: &[(Timestamp, EventBody)], fence: &Fence) -> Result<()> {
        let mut transaction = self.write_fenced(fence).await?;
        let row = sqlx::query("SELECT coalesce(max(sequence) + 1, 0) FROM events WHERE run = ?")
            .bind(text(run))
            .fetch_one(&mut *transaction)
            .await
            .map_err(sql("write events"))?;
        let first: i64 = row.get(0);
        for (sequence, (at, body)) in (first..).zip(events) {
            sqlx::query("INSERT INTO events (run, sequence, at, body) VALUES (?, ?, ?, ?)")
                .bind(text(run))
                .bind(sequence)
                .bind(at.as_millis())
                .bind(write_json(body)?)
                .execute(&mut *transaction)
                .await
                .map_err(sql("write events"))?;
        }
        transaction.commit().await.map_err(sql("write events"))?;
        self.announcer.tell(Change::Events(run.clone()));
        Ok(())
    }

    async fn events(&self, run: &RunId, sequence: u64, limit: u32) -> Result<Vec<Event>> {
        let rows = sqlx::query("SELECT sequence, at, body FROM events WHERE run = ? AND sequence >= ? ORDER BY sequence LIMIT ?")
            .bind(text(run))
            .bind(integer(sequence))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(sql("read events"))?;
        let event = |row: &SqliteRow| {
            let sequence = u64::try_from(row.get::<i64, _>(0)).unwrap_or(0);
            Ok(Event { sequence, at: Timestamp::from_millis(row.get(1)), body: read_json(row.get::<&str, _>(2))? })
        };
        rows.iter().map(event).collect()
    }
}

#[async_trait]
impl ReportStore for SqliteStore {
    async fn put_reports(&self, run: &RunId, reports: &StageReports, fence: &Fence) -> Result<()> {
        let mut transaction = self.write_fenced(fence).await?;
        sqlx::query("INSERT INTO reports (run, stage, body) VALUES (?, ?, ?) ON CONFLICT (run, stage) DO UPDATE SET body = excluded.body")
            .bind(text(run))
            .bind(reports.stage as i64)
            .bind(write_json(reports)?)
            .execute(&mut *transaction)
            .await
            .map_err(sql("write reports"))?;
        transaction.commit().await.map_err(sql("write reports"))
    }

    async fn reports(&self, run: &RunId) -> Result<Vec<StageReports>> {
        let query = sqlx::query("SELECT body FROM reports WHERE run = ? ORDER BY stage").bind(text(run));
        let rows = query.fetch_all(&self.pool).await.map_err(sql("read reports"))?;
        rows.iter().map(|row| read_json(row.get::<&str, _>(0))).collect()
    }
}
