//! The text mode of TFTP (RFC 1350 §1, RFC 764).

/// Text as netascii: a line ends with CR LF, and a CR that ends none is CR NUL.
/// Lines that end with CR LF already stay as they are.
pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => out.extend_from_slice(b"\r\n"),
            b'\r' if bytes.peek() == Some(&b'\n') => {
                bytes.next();
                out.extend_from_slice(b"\r\n");
            }
            b'\r' => out.extend_from_slice(b"\r\0"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_both() {
        assert_eq!(encode(b"a\nb\r\nc\rd\r"), b"a\r\nb\r\nc\r\0d\r\0");
        assert_eq!(encode(b""), b"");
        assert_eq!(encode(b"\r\r\n\n"), b"\r\0\r\n\r\n");
    }
}
