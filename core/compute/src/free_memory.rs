//! Memory that is free inside this process and still counts as its own.
#![allow(unsafe_code)] // Two calls of the C library that no kept crate has.

/// Free memory at the end of an arena that is kept for what comes next.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: libc::c_int = 256 << 10;

/// Blocks from this size on are mappings of their own, as the C library has it once it has seen some that are as large.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OF_ITS_OWN: libc::c_int = 32 << 20;

/// Sets the C library's allocator up for a process that lives for days and works in bursts. Threads share one arena of memory for
/// each core, instead of up to eight: each arena keeps some of what its threads have freed. And the free end of each is given back:
/// the C library raises the limit for that by itself, to twice the largest block that was freed, and [`give_back`] passes by the
/// ends of all arenas but the first. Does nothing where another C library is used.
pub fn bound_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX);
        let limits = [
            (libc::M_ARENA_MAX, cores),
            (libc::M_TRIM_THRESHOLD, KEPT),
            (libc::M_MMAP_THRESHOLD, OF_ITS_OWN),
        ];
        for (name, limit) in limits {
            // SAFETY: it takes numbers and sets one of the allocator's own.
            unsafe {
                libc::mallopt(name, limit);
            }
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
