//! Tests of what others are told: the event stream, its replay, webhooks.

mod hub;
mod real;
mod stream;
mod webhooks;

use std::time::Duration;

use axum::http::Request;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use provost::access::{Reach, Role, TokenRecord};
use provost::device::{Event, EventCode, EventKind, Labels};
use provost::http::{ClientConnection, Host};
use provost::store::{Batch, OfficeRecord, Record, Store};
use provost::time::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::api::{NOW, Rig, TOKEN, id};

/// Longer than anything that a test waits for takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells that a device booted.
fn boot(serial: &str, at: Timestamp) -> Record {
    let kind = EventKind::Inform(vec![EventCode::Boot]);
    Record::Event(Event { device: id(serial), at, kind })
}

/// Lets a device boot so many times.
async fn boots(store: &dyn Store, serial: &str, times: usize, at: Timestamp) {
    for _ in 0..times {
        store.commit(boot(serial, at).into()).await.unwrap();
    }
}

/// Says whose a device is and where it stands.
async fn label(store: &dyn Store, serial: &str, tenant: &str, site: &str) {
    let labels =
        Labels { revision: 1, tenant: tenant.into(), site: site.into(), ..Labels::default() };
    store.commit(Record::Labels(id(serial), labels).into()).await.unwrap();
}

/// A token of a tenant's operator.
fn token(text: &str, tenant: &str) -> TokenRecord {
    TokenRecord {
        id: tenant.into(),
        revision: 1,
        name: tenant.into(),
        user: None,
        hash: Sha256::digest(text.as_bytes()).into(),
        role: Role::Operator,
        rights: None,
        reach: Reach::of_tenant(tenant),
        created_at: NOW,
        created_by: "admin".into(),
        expires_at: None,
        revoked_at: None,
    }
}

/// The text of a tenant's token.
fn token_of(tenant: &str) -> String {
    format!("pv_the-token-of-{tenant}-0123456789abcdef0123456789abcdef")
}

/// Two tenants with a token and a device each: `a` with device `1`, `b` with `2`.
async fn two_tenants(rig: &Rig) {
    let mut batch = Batch::new();
    for tenant in ["a", "b"] {
        let record = token(&token_of(tenant), tenant);
        batch.put(Record::Office(OfficeRecord::Token(Box::new(record))));
    }
    rig.store.commit(batch).await.unwrap();
    label(&*rig.store, "1", "a", "hq").await;
    label(&*rig.store, "2", "b", "hq").await;
}

/// An event as it came.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    id: String,
    kind: String,
    data: Value,
}

/// A listener at the northbound.
struct Listening {
    _connection: ClientConnection,
    status: u16,
    body: Incoming,
    pending: String,
}

impl Listening {
    async fn open(rig: &Rig, query: &str, last: Option<&str>) -> Self {
        Self::with(rig, TOKEN, query, last).await
    }

    async fn with(rig: &Rig, token: &str, query: &str, last: Option<&str>) -> Self {
        let host = Host::Address(rig.address.ip());
        let mut connection =
            ClientConnection::connect(&host, rig.address.port(), None, PATIENCE).await.unwrap();
        let mut request = Request::get(format!("/api/v1/events/stream{query}"))
            .header("host", rig.address.to_string())
            .header("authorization", format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let answer = connection.send(request).await.unwrap();
        let status = answer.status().as_u16();
        if status == 200 {
            assert_eq!(answer.headers()["content-type"], "text/event-stream");
            assert_eq!(answer.headers()["cache-control"], "no-store");
        }
        let body = answer.into_body();
        let mut this = Self { _connection: connection, status, body, pending: String::new() };
        if status == 200 {
            // The stream has begun: whatever happens from now on is told.
            assert_eq!(this.block().await.unwrap(), "retry: 3000");
        }
        this
    }

    /// What comes next between two empty lines; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.pending.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.pending = rest;
                return Some(block);
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap();
            self.pending.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            let block = self.block().await?;
            let mut told = Told::default();
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => told.id = id.to_owned(),
                    Some(("event", kind)) => told.kind = kind.to_owned(),
                    Some(("data", data)) => told.data = serde_json::from_str(data).unwrap(),
                    _ => {}
                }
            }
            if !told.kind.is_empty() {
                return Some(told);
            }
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await.unwrap().id);
        }
        ids
    }

    /// The ids of all that comes until the end.
    async fn rest(&mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.next().await {
            all.push(told);
        }
        all
    }
}
