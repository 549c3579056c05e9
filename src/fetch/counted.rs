//! A body that tells how much of it went out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::files::{SharedSource, Ticket};
use crate::http::Body;
use crate::phone::Ended;

/// Tells the source when it is dropped, which it is in every case: when all of it
/// was handed to the connection, and when the connection was lost. What the
/// phone has received of the last bytes is known to nobody.
pub(super) struct Counted {
    body: Body,
    /// Bytes that were to go, and that went.
    length: u64,
    gone: u64,
    /// Whether it is a part of the file only.
    part: bool,
    telling: Option<(SharedSource, Ticket)>,
}

impl Counted {
    /// Counts `length` bytes of a body.
    pub(super) const fn new(
        body: Body,
        length: u64,
        part: bool,
        source: SharedSource,
        ticket: Ticket,
    ) -> Self {
        Self { body, length, gone: 0, part, telling: Some((source, ticket)) }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            self.gone += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some((source, ticket)) = self.telling.take() else { return };
        let ended = match (self.gone == self.length, self.part) {
            (true, false) => Ended::Whole,
            (true, true) => Ended::Part(self.gone),
            (false, _) => Ended::Broken(self.gone),
        };
        // Outside a runtime nobody is served any more.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { source.ended(ticket, ended).await });
        }
    }
}
