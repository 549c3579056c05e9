//! Firmware and other files on disk, by content hash.
