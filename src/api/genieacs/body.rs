//! Bodies of requests as text, whatever their `Content-Type` says.

use axum::extract::{FromRequest, Request};

use super::super::problem::ApiError;
use super::super::state::Shared;
use super::reply::Refusal;
use crate::class::Class;
use crate::http::collect;

/// A body of at most `northbound.max_body` bytes.
pub(super) struct Text(pub(super) String);

impl FromRequest<Shared> for Text {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Refusal> {
        let limit = state.deps.config.northbound.max_body;
        match collect(request.into_body(), limit, &state.deps.config.limits).await {
            Ok(bytes) => String::from_utf8(bytes.into())
                .map(Self)
                .map_err(|_| Refusal::bad("SyntaxError: the body is no UTF-8")),
            Err(error) if error.class() == Class::TooLarge => {
                Err(ApiError::TooLarge { limit }.into())
            }
            Err(_) => Err(ApiError::BodyStalled.into()),
        }
    }
}
