//! Panics of dependencies: decoders panic on some damaged files, which their callers catch and turn into errors. Such a panic is
//! printed only if it ends the program.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// What programs exit with that panicked.
const PANICKED: u8 = 101;
/// Where Cargo keeps the code of dependencies.
const DEPENDENCIES: &str = "registry/src";

/// The last panic that was not printed.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Runs the program.
pub(super) fn within(run: impl FnOnce() -> ExitCode) -> ExitCode {
    let usual = take_hook();
    set_hook(Box::new(move |info| match is_of_dependency(info) {
        true => *LAST.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string(),
        false => usual(info),
    }));
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if !last.is_empty() {
            super::output::remark(&last);
        }
        ExitCode::from(PANICKED)
    })
}

fn is_of_dependency(info: &PanicHookInfo<'_>) -> bool {
    info.location().is_some_and(|location| location.file().contains(DEPENDENCIES))
}
