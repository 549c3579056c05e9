//! Signatures of what is sent to webhooks.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The value of `Provost-Signature`: `v1=` and the HMAC-SHA256 over the
/// timestamp, a dot and the body, in lower-case hex. The timestamp is that of
/// `Provost-Timestamp`, in seconds since the Unix epoch.
pub fn signature(secret: &str, timestamp: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_openssl_says() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature("secret", 1_700_000_000, b"{\"a\":1}"),
            "v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }

    #[test]
    fn everything_counts() {
        let one = signature("secret", 1, b"body");
        assert_ne!(one, signature("Secret", 1, b"body"));
        assert_ne!(one, signature("secret", 2, b"body"));
        assert_ne!(one, signature("secret", 1, b"body "));
    }
}
