//! The eight ways to mirror a picture and turn it by quarters.
//!
//! A turn is a number below 8. It says where in one picture a place of another is: bit 0 exchanges left and right, bit 1 top and
//! bottom, bit 2 then rows and columns.

/// All turns, upright first.
pub(crate) const ALL: std::ops::Range<u8> = 0..8;

/// Where a place is, both in 0..=1.
pub(crate) fn place(turn: u8, (x, y): (f32, f32)) -> (f32, f32) {
    let x = if turn & 1 == 0 { x } else { 1.0 - x };
    let y = if turn & 2 == 0 { y } else { 1.0 - y };
    if turn & 4 == 0 { (x, y) } else { (y, x) }
}

/// Where a cell is, if there are `side` each way.
pub(crate) fn cell(turn: u8, (x, y): (usize, usize), side: usize) -> (usize, usize) {
    let middle = |cell: usize| (cell as f32 + 0.5) / side as f32;
    let (u, v) = place(turn, (middle(x), middle(y)));
    let cell = |place: f32| ((place * side as f32) as usize).min(side - 1);
    (cell(u), cell(v))
}
