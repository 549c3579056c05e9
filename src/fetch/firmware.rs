//! Files for devices: firmware and whatever else a Download RPC names.

use std::io::SeekFrom;

use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::io::AsyncSeekExt as _;

use super::answer::{self, set};
use super::door::Fetch;
use super::range::{Wanted, wanted};
use crate::files::FilesError;
use crate::http::{Body, Peer, Verdict};

impl Fetch {
    /// Answers `/f/<token>/<name>`. The name is for the device's eyes alone.
    pub(super) async fn firmware(
        &self,
        peer: &Peer,
        request: &Parts,
        token: &str,
    ) -> Response<Body> {
        let Some(grant) = self.deps.links.check(token, self.deps.clock.now()) else {
            return Self::nowhere(peer, "the link is none of ours, or has expired");
        };
        match self.judge(request, &grant.username, &grant.password) {
            Verdict::Right => {}
            // Basic is offered over plain HTTP as well: the password is good for
            // this one link, whose path is as secret, and many devices know nothing
            // else.
            verdict => return self.challenge(verdict == Verdict::Stale, true),
        }
        match self.send(request, &grant.sha256).await {
            Ok(response) => response,
            Err(FilesError::NotFound) => Self::nowhere(peer, "the file was removed"),
            Err(error) => {
                tracing::error!(file.sha256 = %grant.sha256, %error, "a file cannot be served");
                answer::unavailable()
            }
        }
    }

    async fn send(&self, request: &Parts, sha256: &str) -> Result<Response<Body>, FilesError> {
        let (mut file, size) = self.deps.shelf.read(sha256).await?;
        let tag = format!("\"{sha256}\"");
        let mut response = answer::bare(StatusCode::OK);
        if let Ok(tag) = HeaderValue::try_from(&tag) {
            set(&mut response, header::ETAG, tag);
        }
        set(&mut response, header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if answer::has_tag(&request.headers, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        let octets = HeaderValue::from_static("application/octet-stream");
        set(&mut response, header::CONTENT_TYPE, octets);
        let length = match wanted(&request.headers, size, &tag) {
            Wanted::Whole => size,
            Wanted::Part { from, length } => {
                let moved = file.seek(SeekFrom::Start(from)).await;
                moved.map_err(|source| FilesError::Io { path: sha256.into(), source })?;
                answer::part(&mut response, from, length, size);
                length
            }
            Wanted::Nothing => {
                answer::no_part(&mut response, size);
                return Ok(response);
            }
        };
        set(&mut response, header::CONTENT_LENGTH, HeaderValue::from(length));
        *response.body_mut() = Body::file(file, length);
        Ok(response)
    }
}
