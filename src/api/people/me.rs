//! `/me`: who asks.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::problem::ApiError;
use super::super::state::Shared;
use crate::access::{Principal, Right};
use crate::time::Timestamp;

/// Whoever holds the token of the request.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct MeView {
    /// The user's name, or the token's; `admin` for the first token.
    name: String,
    /// The token's id; null for the first token, which lies in `admin.token`.
    token: Option<String>,
    /// What the token is for.
    token_name: Option<String>,
    /// The user whose token it is; null for a machine's.
    user: Option<String>,
    /// The role.
    #[schema(example = "operator")]
    role: &'static str,
    /// What may be done: the role's rights, less what the token leaves out.
    #[schema(example = json!(["devices:read"]))]
    rights: Vec<&'static str>,
    /// The only tenant whose things are seen; null for all.
    tenant: Option<String>,
    /// The only sites whose things are seen; empty for all.
    sites: Vec<String>,
    /// When the token ends; never if null.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
}

/// Tells who asks, and what that one may do
#[utoipa::path(get, path = "/api/v1/me", tag = "access",
    responses((status = 200, body = MeView)))]
pub(in super::super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
) -> Result<axum::Json<MeView>, ApiError> {
    let token = match &*principal.token {
        "" => None,
        id => state.store().office().token(id).await?,
    };
    let (token_name, user) = match token {
        Some(token) => (Some(token.name.to_string()), token.user.map(Into::into)),
        None => (None, None),
    };
    Ok(axum::Json(MeView {
        name: principal.name.to_string(),
        token: Some(principal.token.to_string()).filter(|id| !id.is_empty()),
        token_name,
        user,
        role: principal.role.word(),
        rights: principal.rights.iter().map(Right::word).collect(),
        tenant: principal.reach.tenant.as_ref().map(ToString::to_string),
        sites: super::sites(&principal.reach),
        expires_at: principal.expires_at,
    }))
}
