//! What a file holds, also where it is compressed.

use std::io::Read as _;

/// How a frame of zstd begins.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The most that is taken out of one frame.
const MOST: u64 = 256 << 20;

/// Bytes as text, and all that is compressed in them, and in that.
pub(crate) fn unpacked(bytes: &[u8]) -> Vec<String> {
    let mut texts = vec![String::from_utf8_lossy(bytes).into_owned()];
    for (at, _) in bytes.windows(4).enumerate().filter(|(_, window)| *window == MAGIC) {
        let Ok(frame) = zstd::stream::read::Decoder::with_buffer(&bytes[at..]) else { continue };
        let mut raw = Vec::new();
        // Of a frame that is cut, what there is of it.
        let _ = frame.single_frame().take(MOST).read_to_end(&mut raw);
        if !raw.is_empty() {
            texts.extend(unpacked(&raw));
        }
    }
    texts
}
