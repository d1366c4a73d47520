//! Deliveries and Auto CI.

use super::session::Work;
use super::{PostgresStore, sql};
use crate::record::{Arrived, body_of, decided, integer, missing, other_decision, read_json, write_json};
use async_trait::async_trait;
use bytes::Bytes;
use kiwi_core::domain::{AutoCi, AutoCiState, CommitSha, Delivery, DeliveryId, RunId, ServiceId, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{AutoCiStore, DeliveryStore, Judgement, Turn};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};
use std::time::Duration;

/// Writes all or none, by one statement that is its own transaction. One that is there already was written by a try whose answer was lost.
pub(super) async fn write(pool: &PgPool, arrived: &[Arrived]) -> Result<()> {
    let ids: Vec<&str> = arrived.iter().map(|arrived| arrived.delivery.id.as_str()).collect();
    let services: Vec<&str> = arrived.iter().map(|arrived| arrived.delivery.service.as_str()).collect();
    let decided: Vec<bool> = arrived.iter().map(|arrived| arrived.delivery.decision.is_some()).collect();
    let records: Vec<&str> = arrived.iter().map(|arrived| arrived.record.as_str()).collect();
    let bodies: Vec<&[u8]> = arrived.iter().map(|arrived| &arrived.body[..]).collect();
    let insert = sqlx::query(
        "INSERT INTO deliveries (id, service, decided, record, body, packed) \
         SELECT *, true FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[], $5::bytea[]) ON CONFLICT DO NOTHING",
    )
    .bind(ids)
    .bind(services)
    .bind(decided)
    .bind(records)
    .bind(bodies)
    .execute(pool);
    let written = tokio::time::timeout(super::session::LIMIT, insert).await.map_err(|_| super::convert::too_slow("keep delivery"))?;
    written.map(|_| ()).map_err(|error| match error.as_database_error() {
        Some(refused) if refused.is_foreign_key_violation() => missing("keep delivery", "the service"),
        _ => sql("keep delivery")(error),
    })
}

fn delivery(row: &PgRow) -> Result<Delivery> {
    read_json(row.get::<&str, _>(0))
}

#[async_trait]
impl DeliveryStore for PostgresStore {
    async fn insert_delivery(&self, delivery: &Delivery, body: &Bytes) -> Result<()> {
        self.inbox.add(Arrived::new(delivery, body)?).await?;
        self.tell(Change::Delivery);
        Ok(())
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>> {
        let row = self.row("read delivery", || sqlx::query("SELECT record FROM deliveries WHERE id = $1").bind(id.as_str())).await?;
        row.as_ref().map(delivery).transpose()
    }

    async fn delivery_body(&self, id: &DeliveryId) -> Result<Option<Bytes>> {
        let row = self.row("read delivery", || sqlx::query("SELECT body, packed FROM deliveries WHERE id = $1").bind(id.as_str())).await?;
        row.map(|row| body_of(row.get(0), row.get(1))).transpose()
    }

    async fn deliveries<'a>(&self, service: &ServiceId, before: Option<&'a DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
        let rows = self.rows("list deliveries", || match before {
            Some(before) => sqlx::query("SELECT record FROM deliveries WHERE service = $1 AND id < $3 ORDER BY id DESC LIMIT $2")
                .bind(service.as_str())
                .bind(i64::from(limit))
                .bind(before.as_str()),
            None => sqlx::query("SELECT record FROM deliveries WHERE service = $1 ORDER BY id DESC LIMIT $2").bind(service.as_str()).bind(i64::from(limit)),
        });
        rows.await?.iter().map(delivery).collect()
    }

    async fn undecided(&self, service: &ServiceId, limit: u32) -> Result<Vec<Delivery>> {
        let rows = self.rows("read inbox", || {
            sqlx::query("SELECT record FROM deliveries WHERE service = $1 AND NOT decided ORDER BY id LIMIT $2").bind(service.as_str()).bind(i64::from(limit))
        });
        rows.await?.iter().map(delivery).collect()
    }

    async fn undecided_services(&self) -> Result<Vec<ServiceId>> {
        let rows = self.rows("read inbox", || sqlx::query("SELECT DISTINCT service FROM deliveries WHERE NOT decided ORDER BY service")).await?;
        rows.iter().map(|row| Ok(row.get::<&str, _>(0).parse()?)).collect()
    }

    async fn decide(&self, judgement: &Judgement) -> Result<bool> {
        let counts = self.write("decide delivery", |work| Box::pin(decide(judgement, work))).await?;
        if let (true, Some((_, _, run))) = (counts, judgement.turn.as_ref().and_then(|turn| turn.run.as_ref())) {
            self.tell(Change::Run(run.id.clone()));
        }
        Ok(counts)
    }

    async fn remove_deliveries(&self, service: &ServiceId, before: &DeliveryId) -> Result<u64> {
        self.write_much("remove deliveries", |mut work| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM deliveries WHERE service = $1 AND id < $2 AND decided")
                    .bind(service.as_str())
                    .bind(before.as_str())
                    .execute(&mut *work)
                    .await;
                done.map(|done| done.rows_affected()).map_err(sql("remove deliveries"))
            })
        })
        .await
    }
}

async fn decide(judgement: &Judgement, mut work: Work<'_, '_>) -> Result<bool> {
    let row = sqlx::query("SELECT record FROM deliveries WHERE id = $1 FOR UPDATE").bind(judgement.delivery.as_str()).fetch_optional(&mut *work).await;
    let row = row.map_err(sql("decide delivery"))?.ok_or_else(|| missing("decide delivery", judgement.delivery.as_str()))?;
    let Some(record) = decided(row.get(0), &judgement.decision)? else { return Ok(false) };
    if let Some(turn) = &judgement.turn {
        turn_to(&mut work, &judgement.service, turn).await?;
    }
    sqlx::query("UPDATE deliveries SET decided = true, record = $1 WHERE id = $2")
        .bind(record)
        .bind(judgement.delivery.as_str())
        .execute(&mut *work)
        .await
        .map_err(sql("decide delivery"))?;
    Ok(true)
}

async fn turn_to(connection: &mut PgConnection, service: &ServiceId, turn: &Turn) -> Result<()> {
    let row = sqlx::query("SELECT version FROM auto_ci WHERE service = $1 FOR UPDATE").bind(service.as_str()).fetch_optional(&mut *connection).await;
    let row = row.map_err(sql("decide delivery"))?.ok_or_else(|| missing("decide delivery", "Auto CI"))?;
    if row.get::<i64, _>(0) != integer(turn.version) {
        return Err(other_decision());
    }
    sqlx::query("UPDATE auto_ci SET version = version + 1, head = $1, run = $2 WHERE service = $3")
        .bind(turn.head.as_str())
        .bind(turn.run.as_ref().map(|(_, _, run)| run.id.as_str()))
        .bind(service.as_str())
        .execute(&mut *connection)
        .await
        .map_err(sql("decide delivery"))?;
    match &turn.run {
        Some((organization, slot, run)) => super::runs::insert(connection, organization, slot, run).await,
        None => Ok(()),
    }
}

#[async_trait]
impl AutoCiStore for PostgresStore {
    async fn put_auto_ci<'a>(&self, settings: &AutoCi, head: Option<&'a CommitSha>) -> Result<()> {
        let body = &write_json(settings)?;
        let written = self.rows("enable Auto CI", || {
            sqlx::query(
                "INSERT INTO auto_ci (service, version, head, failures, due, body) SELECT id, 0, $1, 0, clock_timestamp(), $2 FROM services WHERE id = $3 \
                 ON CONFLICT (service) DO UPDATE SET body = excluded.body RETURNING 1",
            )
            .bind(head.map(CommitSha::as_str))
            .bind(body)
            .bind(settings.service.as_str())
        });
        if written.await?.is_empty() { Err(missing("enable Auto CI", "the service")) } else { Ok(()) }
    }

    async fn auto_ci(&self, service: &ServiceId) -> Result<Option<(AutoCi, AutoCiState)>> {
        let row = self.row("read Auto CI", || {
            sqlx::query("SELECT body, version, head, run, failures, (extract(epoch FROM due) * 1000)::bigint FROM auto_ci WHERE service = $1")
                .bind(service.as_str())
        });
        row.await?.as_ref().map(auto_ci).transpose()
    }

    async fn remove_auto_ci(&self, service: &ServiceId) -> Result<()> {
        self.write("disable Auto CI", |mut work| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM auto_ci WHERE service = $1").bind(service.as_str()).execute(&mut *work).await;
                match done.map_err(sql("disable Auto CI"))?.rows_affected() {
                    0 => Err(missing("disable Auto CI", "Auto CI of the service")),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    async fn take_due(&self, hold: Duration, limit: u32) -> Result<Vec<AutoCi>> {
        self.write("reconcile", |mut work| {
            Box::pin(async move {
                // What another replica is taking is not waited for.
                let rows = sqlx::query(
                    "UPDATE auto_ci SET due = clock_timestamp() + $1 * interval '1 millisecond' WHERE service IN \
                     (SELECT service FROM auto_ci WHERE due <= clock_timestamp() ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING body",
                )
                .bind(super::runs::millis(hold))
                .bind(i64::from(limit))
                .fetch_all(&mut *work)
                .await;
                rows.map_err(sql("reconcile"))?.iter().map(|row| read_json(row.get::<&str, _>(0))).collect()
            })
        })
        .await
    }

    async fn schedule(&self, service: &ServiceId, after: Duration, failures: u32) -> Result<()> {
        let done = self.rows("reconcile", || {
            sqlx::query("UPDATE auto_ci SET due = clock_timestamp() + $1 * interval '1 millisecond', failures = $2 WHERE service = $3")
                .bind(super::runs::millis(after))
                .bind(i32::try_from(failures).unwrap_or(i32::MAX))
                .bind(service.as_str())
        });
        done.await.map(|_| ())
    }
}

fn auto_ci(row: &PgRow) -> Result<(AutoCi, AutoCiState)> {
    let state = AutoCiState {
        version: u64::try_from(row.get::<i64, _>(1)).unwrap_or(0),
        head: row.get::<Option<&str>, _>(2).map(str::parse).transpose()?,
        run: row.get::<Option<&str>, _>(3).map(str::parse::<RunId>).transpose()?,
        failures: u32::try_from(row.get::<i32, _>(4)).unwrap_or(0),
        due: Timestamp::from_millis(row.get(5)),
    };
    Ok((read_json(row.get::<&str, _>(0))?, state))
}
