//! The AMX instructions, as inline assembly since there are no stable intrinsics for them.
#![allow(unsafe_code)]

use super::{Block, Tile};
use chaffinch_compute::vector::{Level, level};
use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

/// The configuration of the tile registers: eight of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes: [u16; 16],
    rows: [u8; 16],
}

const EIGHT: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Whether the processor has the instructions, they are not switched off, and the system lets this process use the registers
/// (Linux 5.16 and later).
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        const AMX_BF16: u32 = 1 << 22;
        const AMX_TILE: u32 = 1 << 24;
        const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
        const XFEATURE_XTILEDATA: libc::c_long = 18;
        let wanted = AMX_BF16 | AMX_TILE;
        // Leaf 7 exists wherever leaf 0 says so.
        let known = __cpuid_count(0, 0).eax >= 7 && __cpuid_count(7, 0).edx & wanted == wanted;
        // SAFETY: the call takes two numbers and no memory; an older system answers with an error.
        level() == Level::Best
            && known
            && unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
    })
}

/// `out` = the product of a block of rows and a block of columns, each as pairs of tiles, step by step.
///
/// # Panics
/// When their lengths differ, or AMX is not available.
pub(super) fn block(left: &[Tile], right: &[Tile], out: &mut Block) {
    assert!(available() && left.len() == right.len(), "blocks of another shape");
    let steps = left.len() / 2;
    if steps == 0 {
        out.0.fill(0.0);
        return;
    }
    // SAFETY: the instructions are there, as was just asked. `steps` pairs of tiles of 1,024 bytes are read from each
    // side, which is what the slices hold, and 32 rows of 128 bytes are written to `out`, which is as large. Nothing of the
    // tiles' state outlives the block.
    unsafe {
        asm!(
            "ldtilecfg [{configuration}]",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            // The rows of the left side come from the second cache once for each block; with the hint (t1) they do not drive the
            // weights out of the first.
            "2:",
            "tileloaddt1 tmm4, [{left} + {row}]",
            "tileloadd tmm6, [{right} + {row}]",
            "tileloaddt1 tmm5, [{left} + {row} + 1024]",
            "tileloadd tmm7, [{right} + {row} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {left}, 2048",
            "add {right}, 2048",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{out} + {out_row}], tmm0",
            "tilestored [{out} + {out_row} + 64], tmm1",
            "tilestored [{out} + {out_row} + 2048], tmm2",
            "tilestored [{out} + {out_row} + 2112], tmm3",
            "tilerelease",
            configuration = in(reg) &EIGHT,
            left = inout(reg) left.as_ptr() => _,
            right = inout(reg) right.as_ptr() => _,
            steps = inout(reg) steps => _,
            out = in(reg) out.0.as_mut_ptr(),
            row = in(reg) 64_usize,
            out_row = in(reg) 128_usize,
            out("tmm0") _,
            out("tmm1") _,
            out("tmm2") _,
            out("tmm3") _,
            out("tmm4") _,
            out("tmm5") _,
            out("tmm6") _,
            out("tmm7") _,
            options(nostack),
        );
    }
}
