//! Drawn scenes for the tests of detectors that look for copies.

/// The color of a scene at a place, both in 0..=1: things of many sizes before a ground, all of it with a grain.
pub(crate) fn scene(seed: u32, u: f32, v: f32) -> [u8; 3] {
    let part = |thing: u32, number: u32| {
        let mut bits = (seed * 977 + thing * 31 + number).wrapping_mul(0x9e37_79b9);
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x85eb_ca6b);
        ((bits ^ (bits >> 13)) & 0xffff) as f32 / 65_536.0
    };
    let hit = (0..24).rev().find(|&thing| {
        let radius = 0.3 / (1.0 + thing as f32 / 3.0);
        (part(thing, 0) - u).hypot(part(thing, 1) - v) < radius
    });
    let ground = [90.0 + 100.0 * u, 120.0, 200.0 - 120.0 * v];
    let grain = 30.0 * (part(1000 + (u * 9.0) as u32 * 9 + (v * 9.0) as u32, 5) - 0.5);
    let color = hit.map_or(ground, |thing| [2, 3, 4].map(|channel| 255.0 * part(thing, channel)));
    color.map(|value| (value + grain) as u8)
}

/// What can be done to a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// A tenth is cut off at the left and the bottom.
    Cropped,
    /// As much, and left and right are exchanged.
    CroppedAndMirrored,
    /// A dark border of a twelfth at each side.
    Bordered,
    /// Turned by a quarter.
    Turned,
}

/// The color of a scene after a change, at a place in 0..=1.
pub(crate) fn changed(seed: u32, change: Change, u: f32, v: f32) -> [u8; 3] {
    let cropped = |u: f32| scene(seed, 0.1 + 0.9 * u, 0.9 * v);
    match change {
        Change::None => scene(seed, u, v),
        Change::Cropped => cropped(u),
        Change::CroppedAndMirrored => cropped(1.0 - u),
        Change::Bordered => {
            let inside = |place: f32| (place - 1.0 / 12.0) / (10.0 / 12.0);
            let (u, v) = (inside(u), inside(v));
            if [u, v].iter().all(|place| (0.0..=1.0).contains(place)) { scene(seed, u, v) } else { [20; 3] }
        }
        Change::Turned => scene(seed, v, 1.0 - u),
    }
}
