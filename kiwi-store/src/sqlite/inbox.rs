//! Deliveries and Auto CI.

use super::{SqliteStore, sql};
use crate::record::{Arrived, body_of, decided, integer, missing, other_decision, read_json, write_json};
use async_trait::async_trait;
use bytes::Bytes;
use kiwi_core::domain::{AutoCi, AutoCiState, CommitSha, Delivery, DeliveryId, RunId, ServiceId, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{AutoCiStore, DeliveryStore, Judgement, Turn};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, SqliteConnection, SqlitePool};
use std::time::Duration;

/// Writes all or none.
pub(super) async fn write(pool: &SqlitePool, arrived: &[Arrived]) -> Result<()> {
    let mut query = QueryBuilder::new("INSERT INTO deliveries (id, service, decided, record, body, packed) ");
    query.push_values(arrived, |mut row, Arrived { delivery, record, body }| {
        row.push_bind(delivery.id.as_str()).push_bind(delivery.service.as_str()).push_bind(i64::from(delivery.decision.is_some())).push_bind(record);
        row.push_bind(body).push_bind(1);
    });
    let mut transaction = super::write(pool).await?;
    query.build().persistent(false).execute(&mut *transaction).await.map_err(|error| match error.as_database_error() {
        Some(refused) if refused.is_foreign_key_violation() => missing("keep delivery", "the service"),
        _ => sql("keep delivery")(error),
    })?;
    transaction.commit().await.map_err(sql("keep delivery"))
}

fn delivery(row: &SqliteRow) -> Result<Delivery> {
    read_json(row.get::<&str, _>(0))
}

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn insert_delivery(&self, delivery: &Delivery, body: &Bytes) -> Result<()> {
        self.inbox.add(Arrived::new(delivery, body)?).await?;
        self.announcer.tell(Change::Delivery);
        Ok(())
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>> {
        let row = sqlx::query("SELECT record FROM deliveries WHERE id = ?").bind(id.as_str()).fetch_optional(&self.pool).await;
        row.map_err(sql("read delivery"))?.as_ref().map(delivery).transpose()
    }

    async fn delivery_body(&self, id: &DeliveryId) -> Result<Option<Bytes>> {
        let row = sqlx::query("SELECT body, packed FROM deliveries WHERE id = ?").bind(id.as_str()).fetch_optional(&self.pool).await;
        row.map_err(sql("read delivery"))?.map(|row| body_of(row.get(0), row.get(1))).transpose()
    }

    async fn deliveries<'a>(&self, service: &ServiceId, before: Option<&'a DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
        let mut query = QueryBuilder::new("SELECT record FROM deliveries WHERE service = ");
        query.push_bind(service.as_str());
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before.as_str());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        query.build().fetch_all(&self.pool).await.map_err(sql("list deliveries"))?.iter().map(delivery).collect()
    }

    async fn undecided(&self, service: &ServiceId, limit: u32) -> Result<Vec<Delivery>> {
        let rows = sqlx::query("SELECT record FROM deliveries WHERE service = ? AND decided = 0 ORDER BY id LIMIT ?")
            .bind(service.as_str())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await;
        rows.map_err(sql("read inbox"))?.iter().map(delivery).collect()
    }

    async fn undecided_services(&self) -> Result<Vec<ServiceId>> {
        let rows = sqlx::query("SELECT DISTINCT service FROM deliveries WHERE decided = 0 ORDER BY service").fetch_all(&self.pool).await;
        rows.map_err(sql("read inbox"))?.iter().map(|row| Ok(row.get::<&str, _>(0).parse()?)).collect()
    }

    async fn decide(&self, judgement: &Judgement) -> Result<bool> {
        let mut transaction = self.write().await?;
        let row = sqlx::query("SELECT record FROM deliveries WHERE id = ?").bind(judgement.delivery.as_str()).fetch_optional(&mut *transaction).await;
        let row = row.map_err(sql("decide delivery"))?.ok_or_else(|| missing("decide delivery", judgement.delivery.as_str()))?;
        let Some(record) = decided(row.get(0), &judgement.decision)? else { return Ok(false) };
        if let Some(turn) = &judgement.turn {
            turn_to(&mut transaction, &judgement.service, turn).await?;
        }
        sqlx::query("UPDATE deliveries SET decided = 1, record = ? WHERE id = ?")
            .bind(record)
            .bind(judgement.delivery.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(sql("decide delivery"))?;
        transaction.commit().await.map_err(sql("decide delivery"))?;
        if let Some((_, _, run)) = judgement.turn.as_ref().and_then(|turn| turn.run.as_ref()) {
            self.announcer.tell(Change::Run(run.id.clone()));
        }
        Ok(true)
    }

    async fn remove_deliveries(&self, service: &ServiceId, before: &DeliveryId) -> Result<u64> {
        let done = sqlx::query("DELETE FROM deliveries WHERE service = ? AND id < ? AND decided = 1")
            .bind(service.as_str())
            .bind(before.as_str())
            .execute(&self.pool)
            .await;
        Ok(done.map_err(sql("remove deliveries"))?.rows_affected())
    }
}

async fn turn_to(connection: &mut SqliteConnection, service: &ServiceId, turn: &Turn) -> Result<()> {
    let row = sqlx::query("SELECT version FROM auto_ci WHERE service = ?").bind(service.as_str()).fetch_optional(&mut *connection).await;
    let row = row.map_err(sql("decide delivery"))?.ok_or_else(|| missing("decide delivery", "Auto CI"))?;
    if row.get::<i64, _>(0) != integer(turn.version) {
        return Err(other_decision());
    }
    sqlx::query("UPDATE auto_ci SET version = version + 1, head = ?, run = ? WHERE service = ?")
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
impl AutoCiStore for SqliteStore {
    async fn put_auto_ci<'a>(&self, settings: &AutoCi, head: Option<&'a CommitSha>) -> Result<()> {
        let done = sqlx::query(
            "INSERT INTO auto_ci (service, version, head, failures, due, body) SELECT id, 0, ?, 0, ?, ? FROM services WHERE id = ? \
             ON CONFLICT DO UPDATE SET body = excluded.body",
        )
        .bind(head.map(CommitSha::as_str))
        .bind(Timestamp::now().as_millis())
        .bind(write_json(settings)?)
        .bind(settings.service.as_str())
        .execute(&self.pool)
        .await
        .map_err(sql("enable Auto CI"))?;
        if done.rows_affected() == 0 { Err(missing("enable Auto CI", "the service")) } else { Ok(()) }
    }

    async fn auto_ci(&self, service: &ServiceId) -> Result<Option<(AutoCi, AutoCiState)>> {
        let row = sqlx::query("SELECT body, version, head, run, failures, due FROM auto_ci WHERE service = ?")
            .bind(service.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("read Auto CI"))?;
        row.as_ref().map(auto_ci).transpose()
    }

    async fn remove_auto_ci(&self, service: &ServiceId) -> Result<()> {
        let done = sqlx::query("DELETE FROM auto_ci WHERE service = ?").bind(service.as_str()).execute(&self.pool).await.map_err(sql("disable Auto CI"))?;
        if done.rows_affected() == 0 { Err(missing("disable Auto CI", "Auto CI of the service")) } else { Ok(()) }
    }

    async fn take_due(&self, hold: Duration, limit: u32) -> Result<Vec<AutoCi>> {
        let now = Timestamp::now();
        let rows = sqlx::query("UPDATE auto_ci SET due = ? WHERE service IN (SELECT service FROM auto_ci WHERE due <= ? ORDER BY due LIMIT ?) RETURNING body")
            .bind(now.after(hold).as_millis())
            .bind(now.as_millis())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await;
        rows.map_err(sql("reconcile"))?.iter().map(|row| read_json(row.get::<&str, _>(0))).collect()
    }

    async fn schedule(&self, service: &ServiceId, after: Duration, failures: u32) -> Result<()> {
        sqlx::query("UPDATE auto_ci SET due = ?, failures = ? WHERE service = ?")
            .bind(Timestamp::now().after(after).as_millis())
            .bind(i64::from(failures))
            .bind(service.as_str())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(sql("reconcile"))
    }
}

fn auto_ci(row: &SqliteRow) -> Result<(AutoCi, AutoCiState)> {
    let state = AutoCiState {
        version: u64::try_from(row.get::<i64, _>(1)).unwrap_or(0),
        head: row.get::<Option<&str>, _>(2).map(str::parse).transpose()?,
        run: row.get::<Option<&str>, _>(3).map(str::parse::<RunId>).transpose()?,
        failures: u32::try_from(row.get::<i64, _>(4)).unwrap_or(0),
        due: Timestamp::from_millis(row.get(5)),
    };
    Ok((read_json(row.get::<&str, _>(0))?, state))
}
