//! MESSAGE-INTEGRITY: HMAC-SHA1 in two forms.

use ring::hmac;
use subtle::ConstantTimeEq as _;

/// The length of the attribute with its head.
pub(super) const ATTRIBUTE: usize = 24;

/// What is done to the text before the HMAC is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Zeros up to a multiple of 64 bytes (RFC 3489 §11.2.8), as TR-069 has it.
    To64,
    /// None (RFC 5389 §15.4).
    None,
}

/// The HMAC over a message up to the attribute; its header must already count
/// the attribute.
pub(super) fn mac(text: &[u8], padding: Padding, password: &[u8]) -> [u8; 20] {
    let tag = context(text, padding, password).sign();
    let mut mac = [0; 20];
    for (to, from) in mac.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    mac
}

/// By which form the HMAC is right.
pub(super) fn verify(text: &[u8], mac_shown: &[u8; 20], password: &[u8]) -> Option<Padding> {
    // The length up to and with the attribute, whatever stands behind it.
    let mut text = text.to_vec();
    let length =
        u16::try_from((text.len() + ATTRIBUTE).checked_sub(super::message::HEADER)?).ok()?;
    text.get_mut(2..4)?.copy_from_slice(&length.to_be_bytes());
    [Padding::To64, Padding::None].into_iter().find(|padding| {
        let right = mac(&text, *padding, password);
        right.ct_eq(mac_shown).into()
    })
}

fn context(text: &[u8], padding: Padding, password: &[u8]) -> hmac::Context {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
    let mut context = hmac::Context::with_key(&key);
    context.update(text);
    if padding == Padding::To64 {
        let missing = text.len().next_multiple_of(64) - text.len();
        context.update([0; 64].get(..missing).unwrap_or_default());
    }
    context
}
