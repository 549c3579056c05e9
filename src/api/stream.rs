//! Answers that are made while they are sent: a table or lines, of any length, in
//! bounded memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::fields::{Fields, value};
use super::problem::ApiError;
use super::sheet::guarded;
use crate::param::{Extent, Tree};

/// Pieces that wait for whoever reads.
const WAITING: usize = 4;

/// Bytes after which a piece is sent.
const PIECE: usize = 64 << 10;

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// A table with a heading (RFC 4180).
    #[default]
    Csv,
    /// A JSON object a line.
    Ndjson,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// Whoever reads has gone.
#[derive(Debug)]
pub(super) struct Gone;

/// Writes items of an export.
pub(super) struct Export {
    format: Format,
    fields: Fields,
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Export {
    /// An export of these fields as an answer that saves itself under a name, and
    /// its writer. A table has its heading whatever follows.
    pub(super) fn begin(name: &str, format: Format, fields: Fields) -> (Self, Response) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let mut export = Self { format, fields, sender, piece: Vec::new() };
        if format == Format::Csv {
            let names = export.fields.columns().iter().map(|column| column.name().into_owned());
            let heading: Vec<String> = names.collect();
            export.row(&heading);
        }
        let disposition = format!("attachment; filename=\"{name}.{}\"", format.suffix());
        let mut response = (StatusCode::OK, Body::new(Pipe(receiver))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(disposition) = HeaderValue::try_from(disposition) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        (export, response)
    }

    /// Which parameters are among the fields.
    pub(super) fn parameters(&self) -> Extent {
        self.fields.parameters()
    }

    /// Writes one item.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    pub(super) async fn item(
        &mut self,
        item: &impl serde::Serialize,
        tree: Option<&Tree>,
    ) -> Result<(), Gone> {
        match self.format {
            Format::Csv => {
                let whole = serde_json::to_value(item).unwrap_or_default();
                let columns = self.fields.columns().iter();
                let cells: Vec<String> =
                    columns.map(|column| cell(&value(column, &whole, tree))).collect();
                self.row(&cells);
            }
            Format::Ndjson => {
                let line: Map<String, Value> = self.fields.pick(item, tree);
                self.piece.extend_from_slice(Value::Object(line).to_string().as_bytes());
                self.piece.push(b'\n');
            }
        }
        if self.piece.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    /// Sends what is left.
    pub(super) async fn end(mut self) {
        // Whoever hung up before the last piece does not miss it.
        let _ = self.flush().await;
    }

    /// Breaks the answer off, so that nobody takes it for whole.
    pub(super) async fn break_off(self, error: ApiError) {
        tracing::warn!(%error, "an export broke off");
        let _ = self.sender.send(Err(io::Error::other("the export broke off"))).await;
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender.send(Ok(piece)).await.map_err(|_| Gone)
    }

    /// A row of a table.
    fn row(&mut self, cells: &[String]) {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        // Writing into memory does not fail.
        let _ = writer.write_record(cells.iter().map(|cell| guarded(cell)));
        self.piece.extend(writer.into_inner().unwrap_or_default());
    }
}

/// A value as the text of a cell; texts of a list stand with `;` between.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    }
}

/// A body whose pieces come through a channel.
struct Pipe(mpsc::Receiver<io::Result<Bytes>>);

impl HttpBody for Pipe {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::*;

    #[derive(utoipa::ToSchema)]
    #[allow(dead_code, reason = "only its members are looked at")]
    struct Thing {
        id: String,
        tags: Vec<String>,
    }

    async fn written(format: Format, items: &[Value]) -> String {
        let fields = Fields::read::<Thing>(Some("id,tags"), false).unwrap().unwrap();
        let (mut export, response) = Export::begin("things", format, fields);
        let writing = async {
            for item in items {
                export.item(item, None).await.unwrap();
            }
            export.end().await;
        };
        let (body, ()) = tokio::join!(response.into_body().collect(), writing);
        String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn no_cell_is_a_formula_and_a_table_has_its_heading() {
        assert_eq!(written(Format::Csv, &[]).await, "id,tags\n");
        for start in ['=', '+', '-', '@', '\t', '\r'] {
            let evil = format!("{start}cmd|'/C calc'!A0");
            let table = written(Format::Csv, &[json!({"id": evil, "tags": ["=1", "b"]})]).await;
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!(&row[0], format!("'{evil}"));
            assert_eq!(&row[1], "'=1;b");
        }
    }

    #[tokio::test]
    async fn lines_hold_the_fields_and_nothing_else() {
        let lines =
            written(Format::Ndjson, &[json!({"id": "=1", "tags": [], "more": 1}), json!({})]).await;
        assert_eq!(lines, "{\"id\":\"=1\",\"tags\":[]}\n{\"id\":null,\"tags\":null}\n");
    }

    #[tokio::test]
    async fn what_broke_off_is_not_whole() {
        let fields = Fields::read::<Thing>(Some("id"), false).unwrap().unwrap();
        let (export, response) = Export::begin("things", Format::Csv, fields);
        let error = ApiError::Store(crate::store::StoreError::Closed);
        let (body, ()) = tokio::join!(response.into_body().collect(), export.break_off(error));
        assert!(body.is_err());
    }

    #[test]
    fn a_kind_of_item_tells_its_members() {
        let whole: RefOr<Schema> = Thing::schema();
        assert!(serde_json::to_string(&whole).unwrap().contains("tags"));
        assert_eq!(Thing::name(), "Thing");
        assert_eq!(Fields::every::<Thing>().columns().len(), 2);
    }
}
