//! Answers that last: whether whoever asked is let in still.
//!
//! A token is judged before its request is answered. What goes on being told for
//! minutes or days is told only while the token opens as much.

use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::Instant;

use super::handler::presented;
use super::problem::ApiError;
use super::state::Shared;
use crate::access::{Principal, Right};
use crate::device::Secret;
use crate::store::Kind;

/// The longest time until a token is looked at again because of its end.
const DAY: Duration = Duration::from_secs(86_400);

/// Whoever asked for something that lasts.
pub(super) struct Lasting {
    state: Shared,
    token: Secret,
    right: Right,
    principal: Principal,
    /// The generation of the tokens when this one was looked at last.
    generation: u64,
}

impl Lasting {
    /// Whoever sent these headers and needs this right.
    pub(super) fn of(
        state: &Shared,
        principal: Principal,
        headers: &HeaderMap,
        right: Right,
    ) -> Result<Self, ApiError> {
        let token = presented(headers).ok_or(ApiError::NoToken)?;
        Ok(Self {
            state: state.clone(),
            token: Secret::new(token.as_str()),
            right,
            principal,
            // A change that came before the token was judged costs a look; one that
            // came in between would be missed otherwise.
            generation: 0,
        })
    }

    /// As which they were let in when the token was looked at last.
    pub(super) const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the token may open less than when it was looked at last.
    pub(super) fn is_doubtful(&self) -> bool {
        self.state.store().generation(Kind::Token) != self.generation
            || self.principal.expires_at.is_some_and(|end| end <= self.state.deps.clock.now())
    }

    /// When the token ends, if nothing else ends it.
    pub(super) fn end(&self) -> Option<Instant> {
        let end = self.principal.expires_at?;
        Some(Instant::now() + end.since(self.state.deps.clock.now()).min(DAY))
    }

    /// Looks at the token again: it may be revoked or over, or see less than before.
    pub(super) async fn is_let_in(&mut self) -> bool {
        self.generation = self.state.store().generation(Kind::Token);
        match self.state.deps.tokens.check(self.token.expose()).await {
            Ok(Some(principal)) if principal.may(self.right) => {
                self.principal = principal;
                true
            }
            _ => false,
        }
    }

    /// Refuses to go on when the token opens less than it did at first. What was
    /// written as seen by one must not go on as seen by another.
    ///
    /// # Errors
    /// [`ApiError::NoToken`].
    pub(super) async fn goes_on(&mut self) -> Result<(), ApiError> {
        if !self.is_doubtful() {
            return Ok(());
        }
        let before = self.principal.reach.clone();
        let is_same = self.is_let_in().await && self.principal.reach.covers(&before);
        if is_same { Ok(()) } else { Err(ApiError::NoToken) }
    }
}

/// Waits for an end, if there is any.
pub(super) async fn reached(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}
