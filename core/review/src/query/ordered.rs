//! Numbers that sort as scores do.

/// A number that sorts as the value does.
pub(super) fn ordered(value: f32) -> u32 {
    // Without this, zero would be two numbers.
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}
