//! A body piece by piece, under limits of size and rate.

use std::time::Duration;

use bytes::Bytes;
use http_body::Body as HttpBody;
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::collect::BodyError;
use crate::config::LimitsConfig;

/// How long a body may stand still before its rate counts.
const GRACE: Duration = Duration::from_secs(5);

/// A body that is read piece by piece, for those that do not fit into memory.
///
/// At most `limit` bytes come out of it, and it must bring `limits.body_rate`
/// bytes a second after a grace of five seconds (a rate of 0 asks for none). So a
/// body that never ends is cut by its size, and one that never comes by its rate.
pub struct Pieces<B> {
    body: B,
    limit: u64,
    rate: u32,
    started: Instant,
    received: u64,
}

impl<B> std::fmt::Debug for Pieces<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pieces({} of {})", self.received, self.limit)
    }
}

impl<B> Pieces<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// Begins to read; `limit` is in bytes.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] for a length that is announced too large, before
    /// anything is read.
    pub fn of(body: B, limit: u64, limits: &LimitsConfig) -> Result<Self, BodyError> {
        Self::at_rate(body, limit, limits.body_rate)
    }

    /// The same with a rate in bytes a second; 0 asks for none.
    pub(super) fn at_rate(body: B, limit: u64, rate: u32) -> Result<Self, BodyError> {
        if body.size_hint().lower() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        Ok(Self { body, limit, rate, started: Instant::now(), received: 0 })
    }

    /// The next bytes, never none of them; `None` at the end.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`], [`BodyError::TooSlow`], [`BodyError::Broken`]; the
    /// connection should then be closed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if self.body.is_end_stream() {
                return Ok(None);
            }
            let Some(frame) = self.frame().await? else { return Ok(None) };
            let frame = frame.map_err(|error| BodyError::Broken(error.to_string()))?;
            let Ok(piece) = frame.into_data() else { continue };
            self.received = self.received.saturating_add(piece.len() as u64);
            if self.received > self.limit {
                return Err(BodyError::TooLarge(self.limit));
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// Waits for the next frame, but not past the time by which it is due.
    async fn frame(
        &mut self,
    ) -> Result<Option<Result<http_body::Frame<Bytes>, B::Error>>, BodyError> {
        let frame = self.body.frame();
        if self.rate == 0 {
            return Ok(frame.await);
        }
        let earned = Duration::from_secs(self.received / u64::from(self.rate));
        tokio::time::timeout_at(self.started + GRACE + earned, frame)
            .await
            .map_err(|_| BodyError::TooSlow)
    }
}
