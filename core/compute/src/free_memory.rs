//! Memory that is free inside this process and still counts as its own.
#![allow(unsafe_code)] // One call of the C library that no kept crate has.

/// Gives free memory back to the system. The C library keeps what each of many threads has freed, in arenas of their own, so that a
/// process that works in bursts seems to grow from one to the next; call it once nothing is to be done for a while. It takes
/// milliseconds. Does nothing where another C library is used.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes a number, locks what it looks at, and touches only memory that nothing has allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}
