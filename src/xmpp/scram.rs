//! SCRAM (RFC 5802, RFC 7677): the client's side, without channel binding.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

use crate::device::Secret;

/// The most iterations that are counted: about half a second.
pub const MAX_ITERATIONS: u32 = 600_000;

/// The fewest (RFC 7677 §4): fewer would make it cheap to guess the password
/// from what is sent.
const MIN_ITERATIONS: u32 = 4096;

/// The longest message of a server, in bytes.
const MAX_MESSAGE: usize = 4096;

/// Why the server's part of the exchange is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// A message that is none.
    #[error("a malformed message")]
    Malformed,
    /// The nonce is not ours and some of the server's own.
    #[error("the nonce is not ours")]
    Nonce,
    /// Fewer iterations than 4,096, or more than [`MAX_ITERATIONS`].
    #[error("{0} iterations, which are too few or too many")]
    Iterations(u32),
    /// The server does not know the password: it is not the one that it says.
    #[error("the server could not prove that it knows the password")]
    Unproven,
}

/// The hash of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScramHash {
    /// SCRAM-SHA-1.
    Sha1,
    /// SCRAM-SHA-256.
    Sha256,
}

impl ScramHash {
    /// The mechanism's name.
    pub const fn mechanism(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        }
    }

    const fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        }
    }

    const fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        }
    }

    /// HMAC of a text under a key.
    fn sign(self, key: &[u8], text: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(self.hmac(), key), text)
    }
}

/// One exchange: [`Scram::first`] goes out, [`Scram::answer`] turns the server's
/// challenge into a proof, [`Scram::verify`] checks the server's.
#[derive(Clone, Debug)]
pub struct Scram {
    hash: ScramHash,
    password: Secret,
    nonce: Box<str>,
    /// The client's first message without its header.
    bare: Box<str>,
    /// What the server is to sign, once there was a challenge.
    signature: Option<Box<[u8]>>,
}

impl Scram {
    /// An exchange for one account. `nonce` is random and printable, without a
    /// comma; the password is taken as it is, which is right for printable ASCII.
    pub fn new(hash: ScramHash, username: &str, password: Secret, nonce: &str) -> Self {
        let username = username.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={username},r={nonce}").into();
        Self { hash, password, nonce: nonce.into(), bare, signature: None }
    }

    /// The client's first message.
    pub fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The client's final message, in answer to the server's first.
    ///
    /// # Errors
    /// [`ScramError`].
    pub fn answer(&mut self, challenge: &str) -> Result<String, ScramError> {
        if challenge.len() > MAX_MESSAGE {
            return Err(ScramError::Malformed);
        }
        let mut parts = challenge.split(',');
        let mut part = |name| {
            parts.next().and_then(|part| part.strip_prefix(name)).ok_or(ScramError::Malformed)
        };
        // A message that begins with `m=` wants what is not known here.
        let (nonce, salt, iterations) = (part("r=")?, part("s=")?, part("i=")?);
        match nonce.strip_prefix(&*self.nonce) {
            Some(theirs) if !theirs.is_empty() && theirs.bytes().all(|b| b.is_ascii_graphic()) => {}
            _ => return Err(ScramError::Nonce),
        }
        let salt = STANDARD.decode(salt).map_err(|_| ScramError::Malformed)?;
        let iterations: u32 = iterations.parse().map_err(|_| ScramError::Malformed)?;
        let counted = NonZeroU32::new(iterations)
            .filter(|_| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations))
            .ok_or(ScramError::Iterations(iterations))?;
        let hash = self.hash;
        let mut salted = vec![0; hash.digest().output_len()];
        let password = self.password.expose().as_bytes();
        pbkdf2::derive(hash.pbkdf2(), counted, &salt, password, &mut salted);
        // `biws` is the header of the first message, `n,,`.
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.bare);
        let client_key = hash.sign(&salted, b"Client Key");
        let stored = digest::digest(hash.digest(), client_key.as_ref());
        let signature = hash.sign(stored.as_ref(), signed.as_bytes());
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server_key = hash.sign(&salted, b"Server Key");
        self.signature = Some(hash.sign(server_key.as_ref(), signed.as_bytes()).as_ref().into());
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Checks the server's final message.
    ///
    /// # Errors
    /// [`ScramError::Unproven`], also when no challenge came before.
    pub fn verify(&self, last: &str) -> Result<(), ScramError> {
        use subtle::ConstantTimeEq as _;
        let shown = last.split(',').next().and_then(|part| part.strip_prefix("v="));
        let shown = shown.and_then(|text| STANDARD.decode(text).ok());
        match (shown, &self.signature) {
            (Some(shown), Some(right)) if bool::from(shown.ct_eq(right)) => Ok(()),
            _ => Err(ScramError::Unproven),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(hash: ScramHash, nonce: &str) -> Scram {
        Scram::new(hash, "user", Secret::new("pencil"), nonce)
    }

    #[test]
    fn the_example_of_rfc_5802() {
        let mut scram = example(ScramHash::Sha1, "fyko+d2lbbFgONRv9qkxdawL");
        assert_eq!(scram.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        assert_eq!(
            scram.answer(challenge).unwrap(),
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
        );
        assert_eq!(scram.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), Ok(()));
        assert_eq!(scram.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x=y"), Ok(()));
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let mut scram = example(ScramHash::Sha256, "rOprNGfwEbeRWgbNEkqO");
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.answer(challenge).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let right = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(scram.verify(right), Ok(()));
        for wrong in ["", "v=", "e=other-error", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="] {
            assert_eq!(scram.verify(wrong), Err(ScramError::Unproven), "{wrong}");
        }
        let unasked = example(ScramHash::Sha256, "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(unasked.verify(right), Err(ScramError::Unproven));
    }

    #[test]
    fn a_hostile_challenge_is_refused_before_anything_is_counted() {
        for (challenge, error) in [
            ("", ScramError::Malformed),
            ("m=x,r=abcdef,s=QQ==,i=4096", ScramError::Malformed),
            ("r=abcdef,s=QQ==", ScramError::Malformed),
            ("r=abcdef,s=?,i=4096", ScramError::Malformed),
            ("r=abcdef,s=QQ==,i=4096x", ScramError::Malformed),
            ("r=abcdef,s=QQ==,i=-1", ScramError::Malformed),
            ("r=abcdef,s=QQ==,i=4294967296", ScramError::Malformed),
            ("r=abc,s=QQ==,i=4096", ScramError::Nonce),
            ("r=abdef,s=QQ==,i=4096", ScramError::Nonce),
            ("r=abc d,s=QQ==,i=4096", ScramError::Nonce),
            ("r=abcdef,s=QQ==,i=0", ScramError::Iterations(0)),
            ("r=abcdef,s=QQ==,i=4095", ScramError::Iterations(4095)),
            ("r=abcdef,s=QQ==,i=600001", ScramError::Iterations(600_001)),
            ("r=abcdef,s=QQ==,i=4294967295", ScramError::Iterations(u32::MAX)),
        ] {
            let mut scram = example(ScramHash::Sha256, "abc");
            assert_eq!(scram.answer(challenge), Err(error), "{challenge}");
        }
        let long = format!("r=abc{},s=QQ==,i=4096", "x".repeat(5000));
        assert_eq!(example(ScramHash::Sha1, "abc").answer(&long), Err(ScramError::Malformed));
    }

    #[test]
    fn names_are_escaped_and_the_password_is_not_shown() {
        let scram = Scram::new(ScramHash::Sha1, "a=b,c", Secret::new("pencil"), "n");
        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=n");
        assert!(!format!("{scram:?}").contains("pencil"));
    }
}
