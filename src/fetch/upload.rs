//! Files from devices: what an Upload RPC asks for (TR-069 §A.4.1.5).
//!
//! `PUT /u/<token>/<name>` under a signed link with credentials of its own. The
//! link carries the task that asked; a device and a type of file belong to it. What
//! comes is kept by content and recorded with the task in one commit, so that the
//! session that hears of the transfer's end finds it.
//!
//! A link takes one file. Whoever sends the same content again, because the
//! answer was lost, is told that all is well; other content is refused: what was
//! acknowledged stays what it was.

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::answer::{self, set};
use super::door::Fetch;
use crate::class::Class;
use crate::device::{Action, Outcome, Task, TaskState};
use crate::files::{FilesError, Upload, plain_name};
use crate::http::{Body, BodyError, Peer, Pieces, Verdict};
use crate::store::{Batch, FileRecord, Record, StoreError, upload_of};

/// What is read of a body that is not taken, in bytes: many devices send the
/// whole file before they look at the answer, and only then hear the challenge.
const PASSED_OVER: u64 = 16 << 20;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Another file came by this link before.
    #[error("another file came by this link before")]
    Another,
    /// The body was not taken.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The shelf did not take it.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It could not be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refused {
    /// What it means to the device.
    const fn class(&self) -> Class {
        match self {
            Self::Empty => Class::Invalid,
            Self::Another => Class::Conflict,
            Self::Body(error) => error.class(),
            Self::Files(error) => error.class(),
            Self::Store(_) => Class::Unavailable,
        }
    }
}

/// How a file was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    New,
    Again,
}

impl Fetch {
    /// Answers `/u/<token>/…`. `name` is the end of the path: a label, and nothing
    /// else.
    pub(super) async fn receive(
        &self,
        peer: &Peer,
        request: &Parts,
        token: &str,
        name: &str,
        body: Incoming,
    ) -> Response<Body> {
        let Some(grant) = self.deps.links.check_upload(token, self.deps.clock.now()) else {
            return Self::nowhere(peer, "the link is none of ours, or has expired");
        };
        // The standard has PUT; some devices post.
        if request.method != Method::PUT && request.method != Method::POST {
            return answer::only("PUT, POST");
        }
        let verdict = self.judge(request, &grant.username, &grant.password);
        if verdict != Verdict::Right {
            // Basic as well, for the reason that downloads have.
            let response = self.challenge(verdict == Verdict::Stale, true);
            return self.passing_over(request, body, response).await;
        }
        let task = match self.deps.store.task(grant.task).await {
            Ok(Some(task)) if awaits_file(&task) => task,
            Ok(_) => return Self::nowhere(peer, "no task waits for the file"),
            Err(error) => {
                tracing::error!(task.id = %grant.task, %error, "a task cannot be read");
                return answer::unavailable();
            }
        };
        if let Some(response) = unreadable(&request.headers) {
            return response;
        }
        let Some(turn) = self.receiving.enter(task.id) else { return answer::unavailable() };
        let taken = match self.take_in(body).await {
            Ok(upload) => {
                let _one = turn.placing.lock().await;
                self.keep(upload, &task, name).await
            }
            Err(refused) => Err(refused),
        };
        match taken {
            Ok(Taken::New) => answer::bare(StatusCode::CREATED),
            Ok(Taken::Again) => answer::bare(StatusCode::NO_CONTENT),
            Err(refused) => {
                let class = refused.class();
                tracing::warn!(device.id = %task.device, task.id = %task.id, peer.address = %peer.address.ip(),
                    reason = %refused, "a file from a device was not taken");
                answer::refused(class)
            }
        }
    }

    /// Writes the body to the shelf as it comes.
    async fn take_in(&self, body: Incoming) -> Result<Upload, Refused> {
        let limit = self.deps.max_upload;
        let mut pieces = Pieces::of(body, limit, &self.deps.limits)?;
        let mut upload = self.deps.shelf.begin(limit).await?;
        while let Some(piece) = pieces.next().await? {
            upload.write(&piece).await?;
        }
        if upload.size() == 0 { Err(Refused::Empty) } else { Ok(upload) }
    }

    /// Makes a file that has come whole durable, with its record and the task's.
    async fn keep(&self, upload: Upload, task: &Task, name: &str) -> Result<Taken, Refused> {
        let store = &self.deps.store;
        let setting = upload_of(task.id);
        let sha256 = upload.sha256();
        let taken = match store.setting(&setting).await? {
            Some(known) if *known == *sha256.as_bytes() => Taken::Again,
            Some(_) => return Err(Refused::Another),
            None => Taken::New,
        };
        let stored = upload.finish().await?;
        let mut batch = Batch::new();
        // What an operator brought stays his: a device that sends the same must
        // not take a firmware image out of use, or rename it.
        if store.file(&stored.sha256).await?.is_none() {
            batch.put(Record::File(FileRecord {
                sha256: stored.sha256.clone(),
                name: label(name, task),
                size: stored.size,
                file_type: file_type(task).into(),
                version: None,
                uploaded_at: self.deps.clock.now(),
                from: Some((task.device.clone(), task.id)),
                tenant: "".into(),
                shares: Vec::new(),
            }));
        }
        batch.put(Record::Setting(setting.into(), stored.sha256.as_bytes().to_vec()));
        store.commit(batch).await?;
        tracing::info!(device.id = %task.device, task.id = %task.id, file.sha256 = %stored.sha256,
            file.size = stored.size, "a device sent a file");
        Ok(taken)
    }

    /// An answer to a request whose body is not wanted. A device that asked first
    /// (`Expect: 100-continue`) is answered at once and sends none.
    async fn passing_over(
        &self,
        request: &Parts,
        body: Incoming,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let asks_first = request.headers.contains_key(header::EXPECT);
        if asks_first || self.read_over(body).await.is_err() {
            set(&mut response, header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn read_over(&self, body: Incoming) -> Result<(), BodyError> {
        let mut pieces = Pieces::of(body, PASSED_OVER, &self.deps.limits)?;
        while pieces.next().await?.is_some() {}
        Ok(())
    }
}

/// Whether a file may come for this task: it was sent, whatever became of it
/// since. A device may send the file before it answers the RPC, and after it was
/// given up.
fn awaits_file(task: &Task) -> bool {
    let was_sent = match &task.state {
        TaskState::Queued => false,
        TaskState::Sent { .. } => true,
        TaskState::Ended { outcome, .. } => {
            !matches!(outcome, Outcome::Expired | Outcome::Cancelled)
        }
    };
    was_sent && matches!(task.action, Action::Upload(_))
}

fn file_type(task: &Task) -> &str {
    match &task.action {
        Action::Upload(wish) => &wish.file_type,
        _ => "",
    }
}

/// What the file is called. The end of the path is the device's word: letters,
/// digits, dots, hyphens and underscores of it, and no dot in front.
fn label(name: &str, task: &Task) -> Box<str> {
    let name = name.trim_start_matches('.');
    plain_name(if name.is_empty() { file_type(task) } else { name }).into()
}

/// The answer to a body that is not the file itself: encoded, a part, a form.
fn unreadable(headers: &HeaderMap) -> Option<Response<Body>> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let encoding = text(header::CONTENT_ENCODING).unwrap_or_default().trim();
    let is_form = text(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    if is_form || !(encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        return Some(answer::bare_and_close(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // RFC 9110 §14.5: a part must not be taken for the whole.
    let is_part = headers.contains_key(header::CONTENT_RANGE);
    is_part.then(|| answer::bare_and_close(StatusCode::BAD_REQUEST))
}
