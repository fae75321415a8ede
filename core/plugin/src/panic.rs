//! What a panic said.

use std::any::Any;
use std::fmt;

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
