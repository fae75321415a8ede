//! What a panic said.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The text of a panic's payload.
#[doc(hidden)]
pub struct PanicMessage<'a>(pub &'a (dyn Any + Send));

impl fmt::Display for PanicMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.downcast_ref::<&str>().copied();
        f.write_str(
            text.or_else(|| self.0.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown reason"),
        )
    }
}

/// What a panic said that was caught at the border. A payload may panic once more when it is dropped, which must not unwind
/// across the border; what that panic carries is leaked unless it is text, because there may be no end to it.
pub(crate) fn said(payload: Box<dyn Any + Send>) -> String {
    let text = PanicMessage(&*payload).to_string();
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
        && !second.is::<&str>()
        && !second.is::<String>()
    {
        std::mem::forget(second);
    }
    text
}
