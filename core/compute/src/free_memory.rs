//! Memory that is free inside this process and still counts as its own.
#![allow(unsafe_code)] // Two calls of the C library that no kept crate has.

/// Lets threads share one arena of memory for each core, instead of up to eight: each keeps some of what its threads have freed, and
/// threads that come and go would leave more of it behind with every burst of work. Does nothing where another C library is used.
pub fn share_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // SAFETY: it takes numbers and sets one of the allocator's own.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX));
        }
    }
}

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
