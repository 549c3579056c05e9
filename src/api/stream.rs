//! Answers that are made while they are sent: bodies of any length, in bounded
//! memory.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Frame;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use utoipa::ToSchema;

use super::fields::{Fields, value};
use super::problem::ApiError;
use super::sheet;
use crate::param::{Extent, Tree};

/// Pieces that are made before the reader has taken them, at most.
const AHEAD: usize = 4;

/// Bytes after which a piece is sent.
const PIECE: usize = 64 << 10;

/// Whoever reads has gone.
#[derive(Debug)]
pub(super) struct Gone;

/// Why a body ends before its end.
#[derive(Debug)]
pub(super) enum Cut {
    /// Nobody reads it any more.
    Gone,
    /// What follows cannot be made.
    Failed(ApiError),
}

impl From<Gone> for Cut {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl<E: Into<ApiError>> From<E> for Cut {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What comes of a piece: the bytes, or that there will be no more though it is
/// not all.
type Piece = Result<Bytes, ApiError>;

/// Where the bytes of a body go: gathered into pieces.
pub(super) struct Pieces {
    sender: Sender<Piece>,
    piece: Vec<u8>,
}

impl Pieces {
    /// A body, and where its bytes go.
    fn new() -> (Self, Body) {
        let (sender, receiver) = channel(AHEAD);
        (Self { sender, piece: Vec::new() }, Body::new(Pipe(receiver)))
    }

    /// Writes on; waits while the reader is behind.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender.send(Ok(piece)).await.map_err(|_| Gone)
    }

    /// Sends what is left, or breaks the body off: the reader sees then that it is
    /// not whole.
    pub(super) async fn end(mut self, end: Result<(), Cut>) {
        match end {
            // Whoever hung up before the last piece does not miss it.
            Ok(()) => drop(self.flush().await),
            Err(Cut::Gone) => {}
            Err(Cut::Failed(error)) => {
                tracing::warn!(%error, "an answer broke off");
                let _ = self.sender.send(Err(error)).await;
            }
        }
    }
}

/// A body that `make` writes. What is made ends with the reader.
pub(super) fn streamed<F>(make: impl FnOnce(Pieces) -> F) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    let (pieces, body) = Pieces::new();
    tokio::spawn(make(pieces));
    body
}

/// An answer that saves itself under a name, and is kept by nobody on the way.
pub(super) fn file(name: &str, content_type: &'static str, body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

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

/// Writes items of an export, of which fields were asked for.
pub(super) struct Export {
    format: Format,
    fields: Fields,
    pieces: Pieces,
}

impl Export {
    /// An export of these fields as an answer that saves itself under a name, and
    /// its writer. A table has its heading whatever follows.
    pub(super) fn begin(name: &str, format: Format, fields: Fields) -> (Self, Response) {
        let (mut pieces, body) = Pieces::new();
        if format == Format::Csv {
            let names = fields.columns().iter().map(|column| column.name().into_owned());
            pieces.piece.extend(sheet::row(names));
        }
        let name = format!("{name}.{}", format.suffix());
        (Self { format, fields, pieces }, file(&name, format.content_type(), body))
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
                let cells = columns.map(|column| cell(&value(column, &whole, tree)));
                self.pieces.write(&sheet::row(cells)).await
            }
            Format::Ndjson => {
                let line: Map<String, Value> = self.fields.pick(item, tree);
                self.pieces.write(format!("{}\n", Value::Object(line)).as_bytes()).await
            }
        }
    }

    /// Sends what is left.
    pub(super) async fn end(self) {
        self.pieces.end(Ok(())).await;
    }

    /// Breaks the answer off, so that nobody takes it for whole.
    pub(super) async fn break_off(self, error: ApiError) {
        self.pieces.end(Err(Cut::Failed(error))).await;
    }
}

/// How a file is written that an import takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileFormat {
    /// A table with a heading (RFC 4180).
    Csv,
    /// A JSON array with an object a line, so that faults of an import are found.
    #[default]
    Json,
    /// A JSON object a line.
    Ndjson,
}

impl FileFormat {
    /// The answer that holds such a file.
    pub(super) fn answer(self, name: &str, body: Body) -> Response {
        let (suffix, content_type) = match self {
            Self::Csv => (Format::Csv.suffix(), Format::Csv.content_type()),
            Self::Json => ("json", "application/json"),
            Self::Ndjson => (Format::Ndjson.suffix(), Format::Ndjson.content_type()),
        };
        file(&format!("{name}.{suffix}"), content_type, body)
    }
}

/// Writes the objects of a [`FileFormat`] that is no table.
pub(super) struct Objects<'p> {
    pieces: &'p mut Pieces,
    is_array: bool,
    written: u64,
}

impl<'p> Objects<'p> {
    pub(super) fn of(pieces: &'p mut Pieces, format: FileFormat) -> Self {
        Self { pieces, is_array: format == FileFormat::Json, written: 0 }
    }

    /// Writes one object.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    pub(super) async fn item(&mut self, item: &Value) -> Result<(), Gone> {
        let (before, behind) = match (self.is_array, self.written) {
            (true, 0) => ("[\n", ""),
            (true, _) => (",\n", ""),
            (false, _) => ("", "\n"),
        };
        self.written = self.written.saturating_add(1);
        self.pieces.write(format!("{before}{item}{behind}").as_bytes()).await
    }

    /// Writes the end; tells how many there were.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    pub(super) async fn end(self) -> Result<u64, Gone> {
        let end = match (self.is_array, self.written) {
            (true, 0) => "[\n\n]\n",
            (true, _) => "\n]\n",
            (false, _) => "",
        };
        self.pieces.write(end.as_bytes()).await.map(|()| self.written)
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
struct Pipe(Receiver<Piece>);

impl http_body::Body for Pipe {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let piece = ready!(self.0.poll_recv(context));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
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
