//! Bodies of answers: nothing, bytes at hand, a stream, a part of a file.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio_util::io::poll_read_buf;

/// How much of a file is read at once, in bytes.
const FILE_CHUNK: usize = 64 << 10;

/// The body of an answer.
pub struct Body(Kind);

/// The kinds; private, so that a kind can be added without breaking a face.
enum Kind {
    Empty,
    Full(Bytes),
    Stream(UnsyncBoxBody<Bytes, io::Error>),
    File { file: Box<tokio::fs::File>, left: u64, buffer: BytesMut },
}

impl Body {
    /// A body without bytes.
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A body of bytes at hand.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Full(bytes) })
    }

    /// Any other body, boxed.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self(Kind::Stream(body.map_err(io::Error::other).boxed_unsync()))
    }

    /// `length` bytes of a file from where it stands. A file that turns out
    /// shorter ends the connection, since the length was promised already.
    pub fn file(file: tokio::fs::File, length: u64) -> Self {
        if length == 0 {
            return Self::empty();
        }
        Self(Kind::File { file: Box::new(file), left: length, buffer: BytesMut::new() })
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({:?})", self.size_hint())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Stream(stream) => Pin::new(stream).poll_frame(context),
            Kind::File { file, left, buffer } => {
                if *left == 0 {
                    return Poll::Ready(None);
                }
                buffer.reserve(FILE_CHUNK);
                let read = ready!(poll_read_buf(Pin::new(file.as_mut()), context, buffer))?;
                if read == 0 {
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                let mut chunk = buffer.split().freeze();
                chunk.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left = left.saturating_sub(chunk.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(_) => false,
            Kind::Stream(stream) => stream.is_end_stream(),
            Kind::File { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(stream) => stream.size_hint(),
            Kind::File { left, .. } => SizeHint::with_exact(*left),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::io::AsyncSeekExt as _;

    use super::*;

    #[tokio::test]
    async fn a_part_of_a_file_is_that_part_and_no_more() {
        let mut whole = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        whole.write_all(&bytes).unwrap();
        let mut file = tokio::fs::File::from_std(whole);
        file.seek(io::SeekFrom::Start(100)).await.unwrap();
        let body = Body::file(file, 150_000);
        assert_eq!(body.size_hint().exact(), Some(150_000));
        assert_eq!(body.collect().await.unwrap().to_bytes(), bytes[100..150_100]);
    }

    #[tokio::test]
    async fn a_file_that_is_too_short_is_an_error() {
        let body = Body::file(tokio::fs::File::from_std(tempfile::tempfile().unwrap()), 1);
        assert_eq!(body.collect().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn bytes_and_streams_come_through() {
        assert!(Body::full("").is_end_stream());
        assert_eq!(Body::full("abc").collect().await.unwrap().to_bytes(), "abc");
        let body = Body::stream(http_body_util::Full::new(Bytes::from_static(b"abc")));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
    }
}
