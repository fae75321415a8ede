//! Pictures that changed or went away since they were indexed.

use chaffinch_data::Error;
use chaffinch_protocol::display::counted;

/// That a picture that was fine when it was indexed has vanished or changed since. The next scan will notice.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Io { .. } | Error::Format { .. })
}

/// That this many pictures were not lent for that reason.
pub(super) fn gone(count: u64) -> String {
    let they = if count == 1 { "it was" } else { "they were" };
    let files = counted(count, "file", "files");
    format!("{files} changed or went away since {they} indexed; scan again")
}
