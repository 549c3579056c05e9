//! Bodies that are made while they are sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::problem::ApiError;

/// Pieces that are made before the reader has taken them, at most.
const AHEAD: usize = 4;

/// What came of a piece: the bytes, or that there will be no more though it is
/// not all.
type Piece = Result<Bytes, ApiError>;

/// Where the pieces of a body go.
pub(super) struct Pieces(Sender<Piece>);

/// The reader has gone.
pub(super) struct Gone;

impl Pieces {
    /// Hands a piece over; waits while the reader is behind.
    pub(super) async fn send(&self, piece: impl Into<Bytes>) -> Result<(), Gone> {
        self.0.send(Ok(piece.into())).await.map_err(|_| Gone)
    }

    /// Breaks the body off: the reader sees that it is not whole.
    pub(super) async fn fail(&self, error: ApiError) {
        tracing::error!(%error, "a body broke off");
        let _ = self.0.send(Err(error)).await;
    }
}

/// A body whose pieces are made by `make`. What is made ends with the reader.
pub(super) fn streamed<F>(make: impl FnOnce(Pieces) -> F) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = channel(AHEAD);
    tokio::spawn(make(Pieces(sender)));
    Body::new(Streamed(receiver))
}

struct Streamed(Receiver<Piece>);

impl http_body::Body for Streamed {
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
