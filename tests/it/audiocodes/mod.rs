//! AudioCodes' readers under any input, and openssl on its encrypted files.

mod hostile;
mod openssl;
mod server;
mod survives;
