//! Several labels of one picture: which of them is its label, and how all of them are kept.

use std::collections::BTreeMap;

/// The column that keeps all labels of pictures that have several.
pub(crate) const ALL_LABELS: &str = "all_labels";
/// What stands between labels in that column.
pub(super) const BETWEEN: &str = "|";

/// What a file says of a picture's class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Label {
    /// Nothing.
    #[default]
    None,
    /// One class.
    One(String),
    /// Objects of several classes, the label's first.
    Most(Vec<String>),
    /// Several classes of the whole picture, none of which is its label.
    Several(Vec<String>),
}

impl Label {
    /// The label of a picture that has these classes as a whole, each of which counts once.
    pub(super) fn of_tags(tags: impl IntoIterator<Item = String>) -> Label {
        let mut all: Vec<String> = Vec::new();
        for tag in tags {
            if !all.contains(&tag) {
                all.push(tag);
            }
        }
        match all.len() {
            0 => Label::None,
            1 => Label::One(all.swap_remove(0)),
            _ => Label::Several(all),
        }
    }

    /// The same, unless it is empty.
    pub(super) fn filled(self) -> Label {
        if self.name() == Some("") { Label::None } else { self }
    }

    /// The label, if there is one.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Label::None | Label::Several(_) => None,
            Label::One(label) => Some(label),
            Label::Most(labels) => labels.first().map(String::as_str),
        }
    }

    /// All labels, if there are several, as the column has them; else empty.
    pub(super) fn all(&self) -> String {
        match self {
            Label::None | Label::One(_) => String::new(),
            Label::Most(labels) | Label::Several(labels) => labels.join(BETWEEN),
        }
    }
}

/// The objects of a picture, counted by class.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects(BTreeMap<String, Tally>);

#[derive(Debug, Clone, Copy)]
struct Tally {
    count: u64,
    area: f64,
    order: u64,
}

impl Objects {
    /// Adds an object of a class with its area, in whatever unit, and the place of its class among all.
    pub(super) fn add(&mut self, class: &str, area: f64, order: u64) {
        let area = if area.is_finite() { area.max(0.0) } else { 0.0 };
        match self.0.get_mut(class) {
            Some(known) => {
                known.count += 1;
                known.area += area;
                known.order = known.order.min(order);
            }
            None => {
                self.0.insert(class.to_owned(), Tally { count: 1, area, order });
            }
        }
    }

    /// The label: the class of most objects; of several, the one with the largest area; of these, the first.
    pub(super) fn label(&self) -> Label {
        let mut all: Vec<(&String, &Tally)> = self.0.iter().collect();
        all.sort_by(|(a_name, a), (b_name, b)| {
            let most = b.count.cmp(&a.count).then(b.area.total_cmp(&a.area));
            most.then(a.order.cmp(&b.order)).then(a_name.cmp(b_name))
        });
        match all.as_slice() {
            [] => Label::None,
            [(one, _)] => Label::One((*one).clone()),
            several => Label::Most(several.iter().map(|(name, _)| (*name).clone()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(objects: &[(&str, f64, u64)]) -> Label {
        let mut all = Objects::default();
        objects.iter().for_each(|(name, area, order)| all.add(name, *area, *order));
        all.label()
    }

    #[test]
    fn most_objects_then_area_then_order() {
        assert_eq!(label(&[]), Label::None);
        assert_eq!(label(&[("a", 1.0, 1), ("a", 2.0, 1)]), Label::One("a".into()));
        let most = |objects: &[(&str, f64, u64)]| label(objects).name().map(str::to_owned);
        assert_eq!(most(&[("a", 9.0, 1), ("b", 1.0, 2), ("b", 1.0, 2)]).as_deref(), Some("b"));
        assert_eq!(most(&[("a", 1.0, 1), ("b", 2.0, 2)]).as_deref(), Some("b"));
        assert_eq!(most(&[("b", 1.0, 1), ("a", 1.0, 2)]).as_deref(), Some("b"));
        assert_eq!(most(&[("b", f64::NAN, 1), ("a", f64::INFINITY, 2)]).as_deref(), Some("b"));
        assert_eq!(label(&[("b", 1.0, 1), ("a", 1.0, 2)]).all(), "b|a");
    }

    #[test]
    fn several_tags_are_no_label() {
        let tags = |tags: &[&str]| Label::of_tags(tags.iter().map(|tag| (*tag).to_owned()));
        assert_eq!(tags(&["a", "a"]), Label::One("a".into()));
        assert_eq!((tags(&["b", "a"]).name(), tags(&["b", "a"]).all()), (None, "b|a".to_owned()));
    }
}
