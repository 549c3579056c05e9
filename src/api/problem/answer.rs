//! Errors as answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{ApiError, ImportFault};
use crate::api::fitness::FieldMisfit;
use crate::api::running::marked;
use crate::class::Class;

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct Problem {
    /// A URN that ends with `code`.
    #[serde(rename = "type")]
    kind: String,
    /// The class of the error in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable word for programs.
    code: &'static str,
    /// What went wrong with this request.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    /// Every fault of an import or of profiles, the first hundred of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ImportFault>,
    /// Every path or value that the device cannot take, the first twenty of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    misfits: Vec<FieldMisfit>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let class = self.class();
        if matches!(class, Class::Internal) {
            tracing::error!(error = %self, "a northbound request failed");
        }
        let status = StatusCode::from_u16(self.status()).unwrap_or_default();
        let reason = self.reason();
        let wait = match &self {
            Self::TooManyBadTokens(seconds) => Some(*seconds),
            _ => None,
        };
        let problem = Problem {
            kind: format!("urn:provost:problem:{}", self.code()),
            title: title(class),
            status: status.as_u16(),
            code: self.code(),
            detail: self.to_string(),
            hint: self.hint(),
            errors: match &self {
                Self::Import { faults, .. } | Self::BadProfile { faults, .. } => faults.clone(),
                _ => Vec::new(),
            },
            misfits: if let Self::Misfits(misfits) = self { misfits } else { Vec::new() },
        };
        let retry_after = match wait {
            Some(seconds) => HeaderValue::from(seconds),
            None => HeaderValue::from_static("10"),
        };
        let mut response = marked((status, axum::Json(problem)).into_response(), reason);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match class {
            Class::Unauthorized => {
                // Two challenges, each in a header of its own: some clients read no
                // lists of them.
                for challenge in
                    ["Bearer realm=\"provost\"", "Basic realm=\"provost\", charset=\"UTF-8\""]
                {
                    headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                }
            }
            Class::Throttled | Class::Unavailable => {
                headers.insert(header::RETRY_AFTER, retry_after);
            }
            _ => {}
        }
        response
    }
}

const fn title(class: Class) -> &'static str {
    match class {
        Class::Invalid => "The request is not sound",
        Class::Unauthorized => "Not authenticated",
        Class::Forbidden => "Not allowed",
        Class::NotFound => "Not found",
        Class::Conflict => "In conflict with what is stored",
        Class::TooLarge => "Too large",
        Class::Throttled => "Too much at once",
        Class::Unavailable => "Not available at present",
        Class::Upstream => "Another system failed",
        Class::Failed => "The operation failed",
        Class::Internal => "A fault of the server",
    }
}
