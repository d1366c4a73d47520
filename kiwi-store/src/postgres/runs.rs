//! Runs, their leases and their events.

use super::session::Work;
use super::{PostgresStore, sql, text};
use crate::record::{heads, integer, lease_lost, read_json, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{Event, EventBody, OrganizationId, Run, RunId, RunStatus, StageReports, Timestamp};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Fence;
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{Claim, EventStore, ReportStore, RunFilter, RunStore};
use sqlx::postgres::PgRow;
use sqlx::query::Query;
use sqlx::{PgConnection, Row as _};
use std::time::Duration;

fn run(row: &PgRow) -> Result<Run> {
    let mut run: Run = read_json(row.get::<&str, _>(0))?;
    // The worker that writes the body may not know yet that somebody asked to cancel.
    run.cancel_requested = row.get(1);
    Ok(run)
}

/// Milliseconds, for the database to add to its own clock: those of the replicas differ.
pub(super) fn millis(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)
}

/// Holds the slot for this transaction. A takeover waits for it, so that nothing of the old holder comes after it. It is a statement of its own: the
/// next one then sees what the transaction before it wrote.
pub(super) async fn lock_slot(connection: &mut PgConnection, fence: &Fence) -> Result<()> {
    let row = sqlx::query("SELECT 1 FROM slots WHERE slot = $1 AND owner = $2 AND epoch = $3 AND held FOR UPDATE")
        .bind(&fence.slot)
        .bind(&fence.owner)
        .bind(integer(fence.epoch))
        .fetch_optional(connection)
        .await
        .map_err(sql("check lease"))?;
    row.map(|_| ()).ok_or_else(lease_lost)
}

pub(super) async fn insert(connection: &mut PgConnection, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()> {
    sqlx::query("INSERT INTO runs (id, organization, service, slot, finished, cancel_requested, body) VALUES ($1, $2, $3, $4, $5, false, $6)")
        .bind(text(&run.id))
        .bind(organization.as_str())
        .bind(run.service.as_str())
        .bind(slot)
        .bind(run.status.is_final())
        .bind(write_json(run)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(sql("insert run"))
}

pub(super) async fn claim(connection: &mut PgConnection, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim> {
    // The condition is judged on the newest row, after a wait for whoever has it locked, and by the clock of that moment.
    let claimed = sqlx::query(
        "INSERT INTO slots (slot, owner, run, epoch, until, held) \
         VALUES ($1, $2, $3, 1, clock_timestamp() + $4 * interval '1 millisecond', true) \
         ON CONFLICT (slot) DO UPDATE SET owner = excluded.owner, run = excluded.run, epoch = slots.epoch + 1, \
         until = clock_timestamp() + $4 * interval '1 millisecond', held = true \
         WHERE NOT slots.held OR slots.until <= clock_timestamp() RETURNING epoch",
    )
    .bind(slot)
    .bind(owner)
    .bind(text(run))
    .bind(millis(lease))
    .fetch_optional(&mut *connection)
    .await
    .map_err(sql("claim run"))?;
    if let Some(row) = claimed {
        let epoch = u64::try_from(row.get::<i64, _>(0)).unwrap_or(0);
        return Ok(Claim::Held(Fence { slot: slot.to_owned(), owner: owner.to_owned(), epoch }));
    }
    // A refused upsert keeps the row locked, so this is who refused it.
    let row = sqlx::query("SELECT owner, run, (extract(epoch FROM until) * 1000)::bigint FROM slots WHERE slot = $1")
        .bind(slot)
        .fetch_one(&mut *connection)
        .await
        .map_err(sql("claim run"))?;
    Ok(Claim::Busy { owner: row.get(0), run: row.get::<&str, _>(1).parse()?, until: Timestamp::from_millis(row.get(2)) })
}

/// Gives a slot back that the same transaction took.
pub(super) async fn give_back(connection: &mut PgConnection, fence: &Fence) -> Result<()> {
    sqlx::query("UPDATE slots SET held = false WHERE slot = $1 AND epoch = $2")
        .bind(&fence.slot)
        .bind(integer(fence.epoch))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(sql("release lease"))
}

#[async_trait]
impl RunStore for PostgresStore {
    async fn insert_run(&self, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()> {
        self.write("insert run", |mut work| Box::pin(async move { insert(&mut work, organization, slot, run).await })).await?;
        self.tell(Change::Run(run.id.clone()));
        Ok(())
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>> {
        let row = self.row("read run", || sqlx::query("SELECT body, cancel_requested FROM runs WHERE id = $1").bind(text(id))).await?;
        row.as_ref().map(run).transpose()
    }

    async fn runs(&self, organization: &OrganizationId, filter: &RunFilter) -> Result<Vec<Run>> {
        let (sql, values) = filtered(organization, filter);
        let rows = self.rows("list runs", || {
            let query = values.iter().fold(sqlx::query(&sql), |query, value| query.bind(*value));
            filter.limit.map(i64::from).into_iter().fold(query, Query::bind)
        });
        rows.await?.iter().map(run).collect()
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, RunId)>> {
        let query = || {
            sqlx::query(
                "SELECT organization, id FROM (SELECT DISTINCT ON (slot) organization, id FROM runs WHERE NOT finished ORDER BY slot, id) AS heads ORDER BY id",
            )
        };
        heads(self.rows("read queue", query).await?.iter().map(|row| (row.get(0), row.get(1))))
    }

    async fn slot(&self, id: &RunId) -> Result<Option<String>> {
        let row = self.row("read run", || sqlx::query("SELECT slot FROM runs WHERE id = $1").bind(text(id))).await?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn claim(&self, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim> {
        self.write("claim run", |mut work| Box::pin(async move { claim(&mut work, slot, run, owner, lease).await })).await
    }

    async fn renew(&self, fence: &Fence, lease: Duration) -> Result<bool> {
        let row = self.row("renew lease", || {
            sqlx::query(
                "UPDATE slots SET until = clock_timestamp() + $4 * interval '1 millisecond' WHERE slot = $1 AND owner = $2 AND epoch = $3 AND held \
                 RETURNING coalesce((SELECT cancel_requested FROM runs WHERE id = slots.run), false)",
            )
            .bind(&fence.slot)
            .bind(&fence.owner)
            .bind(integer(fence.epoch))
            .bind(millis(lease))
        });
        row.await?.map(|row| row.get(0)).ok_or_else(lease_lost)
    }

    async fn release(&self, fence: &Fence) -> Result<()> {
        let row = self.row("release lease", || {
            sqlx::query("UPDATE slots SET held = false WHERE slot = $1 AND owner = $2 AND epoch = $3 RETURNING run")
                .bind(&fence.slot)
                .bind(&fence.owner)
                .bind(integer(fence.epoch))
        });
        if let Some(row) = row.await? {
            self.tell(Change::Run(row.get::<&str, _>(0).parse()?));
        }
        Ok(())
    }

    async fn update_run(&self, run: &Run, fence: &Fence) -> Result<()> {
        let body = &write_json(run)?;
        self.write_fenced("write run", fence, |mut work| {
            Box::pin(async move {
                let done = sqlx::query("UPDATE runs SET finished = $1, body = $2 WHERE id = $3 AND NOT finished")
                    .bind(run.status.is_final())
                    .bind(body)
                    .bind(text(&run.id))
                    .execute(&mut *work)
                    .await
                    .map_err(sql("write run"))?;
                if done.rows_affected() == 0 { Err(Error::new(ErrorKind::Cancelled, "write run", "somebody cancelled the run")) } else { Ok(()) }
            })
        })
        .await?;
        self.tell(Change::Run(run.id.clone()));
        Ok(())
    }

    async fn take(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>> {
        self.next_run(owner, lease, per_runtime).await
    }

    async fn remove_runs(&self, ids: &[RunId]) -> Result<u64> {
        self.forget_runs(ids).await
    }

    async fn request_cancel(&self, id: &RunId) -> Result<()> {
        self.write("cancel run", |work| Box::pin(cancel(id, work))).await?;
        self.tell(Change::Run(id.clone()));
        Ok(())
    }
}

/// The statement and its values, the limit left out. One text per shape of filter: a condition that may be absent would keep the planner from the right
/// index.
fn filtered<'q>(organization: &'q OrganizationId, filter: &'q RunFilter) -> (String, Vec<&'q str>) {
    let mut sql = "SELECT body, cancel_requested FROM runs WHERE organization = $1".to_owned();
    if filter.unfinished {
        sql.push_str(" AND NOT finished");
    }
    let wanted = [
        ("service =", filter.service.as_ref().map(|service| service.as_str())),
        ("slot =", filter.slot.as_deref()),
        ("id <", filter.before.as_ref().map(text)),
    ];
    let mut values = vec![organization.as_str()];
    for (condition, value) in wanted {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ${}", values.len()));
        }
    }
    sql.push_str(" ORDER BY id DESC");
    if filter.limit.is_some() {
        sql.push_str(&format!(" LIMIT ${}", values.len() + 1));
    }
    (sql, values)
}

async fn cancel(id: &RunId, mut work: Work<'_, '_>) -> Result<()> {
    let row = sqlx::query("SELECT body, cancel_requested FROM runs WHERE id = $1 FOR NO KEY UPDATE")
        .bind(text(id))
        .fetch_optional(&mut *work)
        .await
        .map_err(sql("cancel run"))?
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "cancel run", format!("there is no run {id}")))?;
    let mut waiting = run(&row)?;
    if waiting.status.is_final() {
        return Err(Error::new(ErrorKind::Conflict, "cancel run", format!("run {id} is {} already", waiting.status.as_str())));
    }
    if waiting.status == RunStatus::Queued {
        (waiting.status, waiting.finished_at) = (RunStatus::Cancelled, Some(Timestamp::now()));
    }
    sqlx::query("UPDATE runs SET cancel_requested = true, finished = $1, body = $2 WHERE id = $3")
        .bind(waiting.status.is_final())
        .bind(write_json(&waiting)?)
        .bind(text(id))
        .execute(&mut *work)
        .await
        .map(|_| ())
        .map_err(sql("cancel run"))
}

#[async_trait]
impl EventStore for PostgresStore {
    async fn append_events(&self, run: &RunId, events: &[(Timestamp, EventBody)], fence: &Fence) -> Result<()> {
        let times: &Vec<i64> = &events.iter().map(|(at, _)| at.as_millis()).collect();
        let bodies: &Vec<String> = &events.iter().map(|(_, body)| write_json(body)).collect::<Result<_>>()?;
        self.write_fenced("write events", fence, |mut work| {
            Box::pin(async move {
                // The slot is locked, so nobody else counts on from the same number.
                sqlx::query(
                    "INSERT INTO events (run, sequence, at, body) \
                     SELECT $1, (SELECT coalesce(max(sequence), -1) FROM events WHERE run = $1) + number, at, body \
                     FROM unnest($2::bigint[], $3::text[]) WITH ORDINALITY AS new (at, body, number)",
                )
                .bind(text(run))
                .bind(times)
                .bind(bodies)
                .execute(&mut *work)
                .await
                .map(|_| ())
                .map_err(sql("write events"))
            })
        })
        .await?;
        self.tell(Change::Events(run.clone()));
        Ok(())
    }

    async fn events(&self, run: &RunId, sequence: u64, limit: u32) -> Result<Vec<Event>> {
        let rows = self.rows("read events", || {
            sqlx::query("SELECT sequence, at, body FROM events WHERE run = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3")
                .bind(text(run))
                .bind(integer(sequence))
                .bind(i64::from(limit))
        });
        let event = |row: &PgRow| {
            let sequence = u64::try_from(row.get::<i64, _>(0)).unwrap_or(0);
            Ok(Event { sequence, at: Timestamp::from_millis(row.get(1)), body: read_json(row.get::<&str, _>(2))? })
        };
        rows.await?.iter().map(event).collect()
    }
}

#[async_trait]
impl ReportStore for PostgresStore {
    async fn put_reports(&self, run: &RunId, reports: &StageReports, fence: &Fence) -> Result<()> {
        let (stage, body) = (reports.stage as i32, &write_json(reports)?);
        self.write_fenced("write reports", fence, |mut work| {
            Box::pin(async move {
                sqlx::query("INSERT INTO reports (run, stage, body) VALUES ($1, $2, $3) ON CONFLICT (run, stage) DO UPDATE SET body = excluded.body")
                    .bind(text(run))
                    .bind(stage)
                    .bind(body)
                    .execute(&mut *work)
                    .await
                    .map(|_| ())
                    .map_err(sql("write reports"))
            })
        })
        .await
    }

    async fn reports(&self, run: &RunId) -> Result<Vec<StageReports>> {
        let rows = self.rows("read reports", || sqlx::query("SELECT body FROM reports WHERE run = $1 ORDER BY stage").bind(text(run))).await?;
        rows.iter().map(|row| read_json(row.get::<&str, _>(0))).collect()
    }
}
