//! Tests of reading bodies: limits, pace on a virtual clock, compressed bombs.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use flate2::Compression;
use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use tokio::time::Instant;

use super::*;

/// A body that brings a piece of `size` bytes every `every`, `pieces` times.
struct Drip {
    every: Duration,
    size: usize,
    pieces: usize,
    due: Pin<Box<tokio::time::Sleep>>,
}

impl Drip {
    fn new(every: Duration, size: usize, pieces: usize) -> Self {
        Self { every, size, pieces, due: Box::pin(tokio::time::sleep(every)) }
    }
}

impl HttpBody for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.pieces == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.due.as_mut().poll(context));
        let next = Instant::now() + self.every;
        self.due.as_mut().reset(next);
        self.pieces -= 1;
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; self.size].into()))))
    }
}

/// A body that announces a length and must not be read.
struct Announced(u64);

impl HttpBody for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("it was read")
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

fn limits() -> LimitsConfig {
    LimitsConfig { body_rate: 100, ..LimitsConfig::default() }
}

async fn decoded(encoding: &str, bytes: Vec<u8>, limit: u64) -> Result<Bytes, BodyError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
    collect_decoded(&headers, Full::new(Bytes::from(bytes)), limit, &limits()).await
}

fn packed(mut encoder: impl std::io::Read) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.read_to_end(&mut out).unwrap();
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    packed(GzEncoder::new(bytes, Compression::best()))
}

#[tokio::test(start_paused = true)]
async fn bodies_come_whole_and_no_larger_than_allowed() {
    let piece = || Drip::new(Duration::from_millis(1), 1000, 3);
    assert_eq!(collect(piece(), 3000, &limits()).await.unwrap().len(), 3000);
    let error = collect(piece(), 2999, &limits()).await.unwrap_err();
    assert!(matches!(error, BodyError::TooLarge(2999)));
    let error = collect(Announced(2000), 1999, &limits()).await.unwrap_err();
    assert_eq!(error.class().http_status(), 413);
    assert!(collect(Full::<Bytes>::default(), 0, &limits()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_must_keep_its_pace_after_the_grace() {
    // 100 bytes a second are asked for.
    let drip = |every, size, pieces| Drip::new(Duration::from_millis(every), size, pieces);
    assert!(collect(drip(4900, 1, 1), 1000, &limits()).await.is_ok());
    assert!(collect(drip(1000, 101, 100), 20_000, &limits()).await.is_ok());
    for slow in [drip(5100, 1, 1), drip(1000, 1, 1000), drip(1000, 50, 100)] {
        let started = Instant::now();
        let error = collect(slow, 20_000, &limits()).await.unwrap_err();
        assert!(matches!(error, BodyError::TooSlow));
        assert!(started.elapsed() <= Duration::from_secs(11), "{:?}", started.elapsed());
    }
    let at_leisure = LimitsConfig { body_rate: 0, ..limits() };
    assert!(collect(drip(60_000, 1, 3), 1000, &at_leisure).await.is_ok());
}

#[tokio::test]
async fn packed_bodies_are_unpacked() {
    let text = b"<Envelope/>".repeat(5000);
    let deflate = packed(DeflateEncoder::new(&text[..], Compression::fast()));
    let zlib = packed(ZlibEncoder::new(&text[..], Compression::fast()));
    for (encoding, bytes) in [
        ("gzip", gzip(&text)),
        ("X-Gzip", gzip(&text)),
        ("deflate", deflate),
        ("deflate", zlib),
        ("identity", text.clone()),
    ] {
        assert_eq!(decoded(encoding, bytes, 1 << 20).await.unwrap(), text, "{encoding}");
    }
    let error = decoded("br", text.clone(), 1 << 20).await.unwrap_err();
    assert!(matches!(error, BodyError::UnknownEncoding));
    let error = decoded("gzip, gzip", gzip(&gzip(&text)), 1 << 20).await.unwrap_err();
    assert!(matches!(error, BodyError::UnknownEncoding));
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let zeros = vec![0; 64 << 20];
    let bomb = gzip(&zeros);
    assert!(bomb.len() < 100_000);
    for limit in [1 << 20, 64 << 20] {
        let error = decoded("gzip", bomb.clone(), limit).await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge(_)), "{error}");
    }
    // Small things may shrink as far as they will.
    assert_eq!(decoded("gzip", gzip(&zeros[..1 << 20]), 1 << 20).await.unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn what_is_cut_short_is_not_taken_for_whole() {
    let text = b"<Envelope>parameter</Envelope>".repeat(3);
    let zlib = packed(ZlibEncoder::new(&text[..], Compression::fast()));
    for (encoding, whole) in [("gzip", gzip(&text)), ("deflate", zlib)] {
        for end in 1..whole.len() {
            let cut = whole[..end].to_vec();
            let error = decoded(encoding, cut, 1 << 20).await.unwrap_err();
            assert!(matches!(error, BodyError::BadEncoding), "{encoding} {end}");
        }
    }
}
