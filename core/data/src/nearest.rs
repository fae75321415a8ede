//! Suggestions for mistyped words.

/// The known word nearest to `word`, if one is near enough to suggest.
///
/// To a number, this is the same one written otherwise: `1` to `01`, which `0` resembles as much.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(number) = number(&word)
        && let Some(same) = known.iter().find(|other| self::number(other) == Some(number))
    {
        return Some(same);
    }
    let scored = known.into_iter().map(|other| (strsim::jaro_winkler(&word, &other.to_lowercase()), other));
    let best = scored.fold(None, |best: Option<(f64, &str)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    best.filter(|(score, _)| *score > 0.7).map(|(_, other)| other)
}

/// The digits of a whole number without zeros in front.
fn number(text: &str) -> Option<&str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.trim_start_matches('0'))
}

/// `; did you mean 'x'?`, or nothing.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or(String::new(), |other| format!("; did you mean '{other}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistypings_are_understood_and_nonsense_is_not() {
        let known = ["threshold", "disabled", "enabled"];
        assert_eq!(nearest("treshold", known), Some("threshold"));
        assert_eq!(nearest("enable", known), Some("enabled"));
        assert_eq!(nearest("xyz", known), None);
        assert_eq!(nearest("01", ["0", "1", "10"]), Some("1"));
        assert_eq!(nearest("7", ["07", "70"]), Some("07"));
        assert_eq!(nearest("00", ["1", "0"]), Some("0"));
        assert_eq!(hint("Disable", known), "; did you mean 'disabled'?");
    }
}
