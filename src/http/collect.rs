//! Reading a body whole, under limits of size, rate and expansion.

use std::io::Read as _;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http_body::Body as HttpBody;
use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;

use super::pieces::Pieces;
use crate::class::Class;
use crate::config::LimitsConfig;
use crate::metrics::Reason;

/// How many times larger than what was sent a body may become, once it is
/// larger than [`RATIO_COUNTS_FROM`]. Parameter lists shrink to a fiftieth;
/// deflate can go to a thousandth.
const MAX_RATIO: usize = 200;

/// Below this size in bytes no ratio is too high.
const RATIO_COUNTS_FROM: usize = 1 << 20;

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is, or says that it is, larger than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    /// It came in slower than `limits.body_rate`.
    #[error("the body came in too slowly")]
    TooSlow,
    /// The connection broke.
    #[error("the body ended early: {0}")]
    Broken(String),
    /// Its `Content-Encoding` is none that is known.
    #[error("the body's encoding is not known; gzip and deflate are")]
    UnknownEncoding,
    /// It is not what its `Content-Encoding` says.
    #[error("the body is not in the encoding that it claims")]
    BadEncoding,
}

impl BodyError {
    /// As which it is counted.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::TooLarge(_) => Reason::TooLarge,
            Self::TooSlow | Self::Broken(_) => Reason::TooSlow,
            Self::UnknownEncoding | Self::BadEncoding => Reason::Malformed,
        }
    }

    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooLarge(_) => Class::TooLarge,
            Self::TooSlow | Self::Broken(_) | Self::UnknownEncoding | Self::BadEncoding => {
                Class::Invalid
            }
        }
    }
}

/// Reads a body of at most `limit` bytes that brings at least
/// `limits.body_rate` bytes a second after a grace of five seconds (a rate of
/// 0 asks for none). A length that is announced too large is refused before
/// anything is read.
///
/// # Errors
/// [`BodyError`]; the connection should then be closed.
pub async fn collect<B>(body: B, limit: u64, limits: &LimitsConfig) -> Result<Bytes, BodyError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    gather(body, limit, limits.body_rate).await
}

/// [`collect`], then undoes the `Content-Encoding` that the headers name; the
/// limit is on what is sent and on what becomes of it.
///
/// # Errors
/// [`BodyError`]; a body that expands beyond measure is too large.
pub async fn collect_decoded<B>(
    headers: &HeaderMap,
    body: B,
    limit: u64,
    limits: &LimitsConfig,
) -> Result<Bytes, BodyError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let encoding = Encoding::of(headers)?;
    let bytes = gather(body, limit, limits.body_rate).await?;
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip | Encoding::Deflate => decode(encoding, &bytes, limit).await,
    }
}

/// Reads a body of at most `limit` bytes and asks for no rate: for clients
/// that put a timeout around the whole exchange.
///
/// # Errors
/// [`BodyError::TooLarge`] and [`BodyError::Broken`].
pub async fn read_limited<B>(body: B, limit: u64) -> Result<Bytes, BodyError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    gather(body, limit, 0).await
}

async fn gather<B>(body: B, limit: u64, rate: u32) -> Result<Bytes, BodyError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let body = pin!(body);
    let mut pieces = Pieces::at_rate(body, limit, rate)?;
    // Most bodies come in one piece: no copy for them.
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(piece) = pieces.next().await? {
        if first.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// The encodings that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else {
            return Ok(Self::Identity);
        };
        let word = value.to_str().map_err(|_| BodyError::UnknownEncoding)?.trim();
        if values.next().is_some() {
            return Err(BodyError::UnknownEncoding);
        }
        match word.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(BodyError::UnknownEncoding),
        }
    }
}

async fn decode(encoding: Encoding, bytes: &[u8], limit: u64) -> Result<Bytes, BodyError> {
    if bytes.is_empty() {
        return Ok(Bytes::new());
    }
    let by_ratio = bytes.len().saturating_mul(MAX_RATIO).max(RATIO_COUNTS_FROM);
    let most = usize::try_from(limit).unwrap_or(usize::MAX).min(by_ratio);
    let mut decoder = match encoding {
        // "deflate" means zlib, but some send it bare.
        Encoding::Deflate => Decoder::Deflate {
            state: Decompress::new(looks_like_zlib(bytes)),
            rest: bytes,
            ended: false,
        },
        Encoding::Gzip | Encoding::Identity => Decoder::Gzip(MultiGzDecoder::new(bytes)),
    };
    let mut out = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = decoder.read(&mut piece)?;
        if read == 0 {
            return Ok(out.into());
        }
        if read > most.saturating_sub(out.len()) {
            return Err(BodyError::TooLarge(limit));
        }
        out.extend_from_slice(piece.get(..read).unwrap_or_default());
        // A large body must not hold the thread while others wait.
        tokio::task::yield_now().await;
    }
}

/// The decoders under one roof. For deflate the plain state is used, since
/// flate2's readers take a stream that is cut short for a whole one.
enum Decoder<'a> {
    Gzip(MultiGzDecoder<&'a [u8]>),
    Deflate { state: Decompress, rest: &'a [u8], ended: bool },
}

impl Decoder<'_> {
    /// Decodes the next bytes; 0 is the sound end.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, BodyError> {
        let bad = BodyError::BadEncoding;
        match self {
            Self::Gzip(decoder) => decoder.read(out).map_err(|_| bad),
            Self::Deflate { ended: true, .. } => Ok(0),
            Self::Deflate { state, rest, ended } => {
                let (taken, given) = (state.total_in(), state.total_out());
                let status = state.decompress(rest, out, FlushDecompress::None);
                *ended = status.map_err(|_| BodyError::BadEncoding)? == Status::StreamEnd;
                let taken = usize::try_from(state.total_in() - taken).unwrap_or(usize::MAX);
                let given = usize::try_from(state.total_out() - given).unwrap_or(usize::MAX);
                *rest = rest.get(taken..).unwrap_or_default();
                if given == 0 && !*ended { Err(bad) } else { Ok(given) }
            }
        }
    }
}

/// Whether the bytes begin with a zlib header (RFC 1950 §2.2).
fn looks_like_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
