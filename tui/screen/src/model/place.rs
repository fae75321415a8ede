//! A row named by its number, by steps, by its share of the list, or as the last one.

/// Which row of a list is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// `12`: the row of this number, counted from 1.
    Row(u64),
    /// `+5`: so many rows down.
    Down(u64),
    /// `-5`: so many rows up.
    Up(u64),
    /// `50%`: at this share of the list, 0 to 100.
    Share(f64),
    /// `$`: the last one.
    Last,
}

impl Place {
    /// Reads what was typed; `None` if it names no row.
    pub fn parse(text: &str) -> Option<Place> {
        // `u64` alone would also accept a sign.
        let number = |digits: &str| {
            digits.parse::<u64>().ok().filter(|_| digits.starts_with(|c: char| c.is_ascii_digit()))
        };
        let text = text.trim();
        if text == "$" {
            Some(Place::Last)
        } else if let Some(percent) = text.strip_suffix('%') {
            let share = percent.trim().parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share))?;
            Some(Place::Share(share))
        } else if let Some(steps) = text.strip_prefix('+') {
            number(steps).map(Place::Down)
        } else if let Some(steps) = text.strip_prefix('-') {
            number(steps).map(Place::Up)
        } else {
            number(text).map(Place::Row)
        }
    }

    /// The row, counted from 0, in a list of `total` rows with the cursor on `cursor`; the nearest one if there is no
    /// such row, `None` if there are no rows.
    pub fn row(self, cursor: u64, total: u64) -> Option<u64> {
        let last = total.checked_sub(1)?;
        let row = match self {
            Place::Row(number) => number.saturating_sub(1),
            Place::Down(steps) => cursor.saturating_add(steps),
            Place::Up(steps) => cursor.saturating_sub(steps),
            Place::Share(share) => (last as f64 * share / 100.0).round() as u64,
            Place::Last => last,
        };
        Some(row.min(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_in_five_ways() {
        let row = |text: &str| Place::parse(text).and_then(|place| place.row(10, 101));
        for (text, expected) in [
            ("12", 11),
            ("0", 0),
            ("+5", 15),
            ("-5", 5),
            ("-50", 0),
            ("50%", 50),
            ("$", 100),
            ("999", 100),
            ("+99999999999", 100),
        ] {
            assert_eq!(row(text), Some(expected), "{text}");
        }
        for text in ["", "x", "+", "-", "%", "101%", "-5%", "+-5", "1 2", "$5"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
        assert_eq!(Place::Last.row(0, 0), None);
    }
}
