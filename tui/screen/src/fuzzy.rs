//! Fuzzy matching of names.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// The indices of the matching items, best first. An empty pattern matches everything and keeps the order.
pub fn rank<S: AsRef<str>>(pattern: &str, items: &[S]) -> Vec<usize> {
    if pattern.trim().is_empty() {
        return (0..items.len()).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(pattern, CaseMatching::Smart, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut found: Vec<(usize, u32, usize)> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| {
            let haystack = Utf32Str::new(item.as_ref(), &mut buffer);
            pattern.score(haystack, &mut matcher).map(|score| (index, score, haystack.len()))
        })
        .collect();
    // Of two equally good matches, the shorter one is more likely meant.
    found.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)).then(a.0.cmp(&b.0)));
    found.into_iter().map(|(index, ..)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn best_match_comes_first_and_nothing_typed_keeps_the_order() {
        let items = ["tabby cat", "tiger", "Catamaran", "cat"];
        assert_eq!(rank("", &items), [0, 1, 2, 3]);
        assert_eq!(rank("cat", &items)[0], 3);
        assert!(!rank("cat", &items).contains(&1));
        assert!(rank("zzz", &items).is_empty());
    }
}
