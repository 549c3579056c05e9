//! The clock of one connection: what it is doing, until when it may, and the
//! stream that tells.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::config::LimitsConfig;
use crate::metrics::{BYTES, Direction, Door};

/// Times that a connection is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) tls_handshake: Duration,
    first_byte: Duration,
    headers: Duration,
    idle: Duration,
    age: Duration,
}

impl Times {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            tls_handshake: seconds(limits.tls_handshake),
            first_byte: seconds(limits.first_byte),
            headers: seconds(limits.headers),
            idle: seconds(limits.idle),
            age: seconds(limits.age),
        }
    }
}

/// Nothing has come yet.
const FIRST_BYTE: u8 = 0;
/// A request's headers are coming in.
const HEADERS: u8 = 1;
/// A face is at work; its body's pace is `collect`'s business.
const BUSY: u8 = 2;
/// The answer is being taken, or the next request awaited.
const IDLE: u8 = 3;

/// What is to be done when the clock of a connection has rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Nothing before this time.
    Later(Instant),
    /// No further request is to be taken; the one under way may end.
    LastRequest,
    /// The connection is to be ended at once.
    End,
}

/// One connection's clock. It is only touched by the connection's own task;
/// the atomics are for the compiler and cost nothing.
///
/// hyper has a header timer of its own, but it also runs while a kept
/// connection is idle, and says nothing of answers that nobody takes. This one
/// knows the four phases apart and needs one timer for a connection's life.
#[derive(Debug)]
pub(super) struct Watch {
    started: Instant,
    times: Times,
    phase: AtomicU8,
    /// When the phase must be over, in milliseconds since `started`.
    until: AtomicU64,
    /// Past which nothing goes on, in milliseconds since `started`.
    end: AtomicU64,
    /// Whether the age was reached and the last request announced.
    aged: AtomicBool,
    /// Whether the peer has closed its side.
    peer_closed: AtomicBool,
}

impl Watch {
    pub(super) fn start(times: Times) -> Arc<Self> {
        let this = Self {
            started: Instant::now(),
            times,
            phase: AtomicU8::new(FIRST_BYTE),
            until: AtomicU64::new(millis(times.first_byte)),
            // A request under way at the age's end may take as long again.
            end: AtomicU64::new(millis(times.age.saturating_mul(2))),
            aged: AtomicBool::new(false),
            peer_closed: AtomicBool::new(false),
        };
        Arc::new(this)
    }

    /// A face takes over.
    pub(super) fn busy(&self) {
        self.phase.store(BUSY, Relaxed);
        self.until.store(u64::MAX, Relaxed);
    }

    /// The face has answered.
    pub(super) fn answered(&self) {
        self.enter(IDLE, self.times.idle);
    }

    /// The server stops: whatever is under way has this much time left.
    pub(super) fn stop_within(&self, most: Duration) {
        let end = self.now().saturating_add(millis(most));
        self.end.fetch_min(end, Relaxed);
    }

    /// Whether the peer has closed its side.
    pub(super) fn peer_closed(&self) -> bool {
        self.peer_closed.load(Relaxed)
    }

    /// When the alarm must ring at the latest.
    pub(super) fn due(&self) -> Instant {
        let mut due = self.until.load(Relaxed).min(self.end.load(Relaxed));
        if !self.aged.load(Relaxed) {
            due = due.min(millis(self.times.age));
        }
        self.started + Duration::from_millis(due)
    }

    /// The alarm has rung: what now?
    pub(super) fn rang(&self) -> Alarm {
        let now = self.now();
        if now >= self.until.load(Relaxed).min(self.end.load(Relaxed)) {
            return Alarm::End;
        }
        if now >= millis(self.times.age) && !self.aged.swap(true, Relaxed) {
            return Alarm::LastRequest;
        }
        Alarm::Later(self.due())
    }

    fn read(&self, bytes: usize) {
        if bytes == 0 {
            self.peer_closed.store(true, Relaxed);
        } else if matches!(self.phase.load(Relaxed), FIRST_BYTE | IDLE) {
            self.enter(HEADERS, self.times.headers);
        }
    }

    fn wrote(&self) {
        // A slow reader may take its time as long as it takes something.
        if self.phase.load(Relaxed) == IDLE {
            self.enter(IDLE, self.times.idle);
        }
    }

    fn enter(&self, phase: u8, limit: Duration) {
        self.phase.store(phase, Relaxed);
        self.until.store(self.now().saturating_add(millis(limit)), Relaxed);
    }

    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A stream that tells the connection's clock what passes.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
    /// As which the door is counted.
    door: Door,
}

impl<S> Watched<S> {
    pub(super) const fn new(stream: S, watch: Arc<Watch>, door: Door) -> Self {
        Self { stream, watch, door }
    }

    fn sent(&self, bytes: usize) {
        BYTES.add(self.door as usize, Direction::Sent as usize, bytes as u64);
        self.watch.wrote();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let bytes = buffer.filled().len().saturating_sub(before);
        BYTES.add(self.door as usize, Direction::Received as usize, bytes as u64);
        self.watch.read(bytes);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices))?;
        self.sent(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn watch() -> Arc<Watch> {
        Watch::start(Times::new(&LimitsConfig {
            first_byte: 5,
            headers: 10,
            idle: 75,
            age: 100,
            ..LimitsConfig::default()
        }))
    }

    fn left(watch: &Watch) -> u64 {
        (watch.due() - Instant::now()).as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_limit() {
        let watch = watch();
        assert_eq!(left(&watch), 5);
        watch.read(1);
        assert_eq!(left(&watch), 10);
        advance(Duration::from_secs(3)).await;
        watch.read(1);
        assert_eq!(left(&watch), 7, "more header bytes buy no time");
        watch.busy();
        assert_eq!(left(&watch), 97);
        watch.answered();
        assert_eq!(left(&watch), 75);
        advance(Duration::from_secs(20)).await;
        watch.wrote();
        assert_eq!(left(&watch), 75, "whoever takes something may go on");
        advance(Duration::from_secs(5)).await;
        watch.read(1);
        assert_eq!(left(&watch), 10);
        advance(Duration::from_secs(9)).await;
        assert!(matches!(watch.rang(), Alarm::Later(_)));
        advance(Duration::from_secs(1)).await;
        assert_eq!(watch.rang(), Alarm::End);
    }

    #[tokio::test(start_paused = true)]
    async fn at_its_age_a_connection_takes_no_further_request_and_ends_at_twice_that() {
        let watch = watch();
        watch.busy();
        advance(Duration::from_secs(100)).await;
        assert_eq!(watch.rang(), Alarm::LastRequest);
        assert_eq!(left(&watch), 100);
        advance(Duration::from_secs(100)).await;
        assert_eq!(watch.rang(), Alarm::End);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopping_server_shortens_everything() {
        let watch = watch();
        watch.busy();
        watch.stop_within(Duration::from_secs(10));
        assert_eq!(left(&watch), 10);
        advance(Duration::from_secs(10)).await;
        assert_eq!(watch.rang(), Alarm::End);
    }
}
