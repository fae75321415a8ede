//! What else actions are called, so that the palette and the help find them by words of other programs.

use crate::action::Action;

/// Other words for an action, in small letters with blanks between them; empty for most.
pub(crate) fn synonyms(action: Action) -> &'static str {
    use Action as A;
    match action {
        A::Keep => "ok okay good fine correct approve confirm",
        A::Remove => "delete discard drop reject bad trash exclude erase",
        A::AcceptSuggestion => "apply fix take suggested",
        A::Relabel => "rename class label correct change category edit",
        A::Unsure => "skip maybe later doubt ambiguous",
        A::ClearDecision => "reset unmark undecide",
        A::Repeat => "again",
        A::KeepGroup | A::RemoveGroup | A::RelabelGroup | A::UnsureGroup => "copies all",
        A::Undo => "revert back",
        A::Redo => "forward",
        A::ManageDetectors => "plugins trust enable disable provenance runs",
        A::Note => "comment remark annotate",
        A::Tag => "flag mark category",
        A::Top => "first start beginning",
        A::Bottom => "last end",
        A::NextUndecided => "todo open unreviewed",
        A::Mark => "select tick check",
        A::Visual => "select range",
        A::MarkAll => "select everything",
        A::ClearMarks => "deselect unselect escape",
        A::Search => "find grep look",
        A::Meaning => "semantic clip text similar embedding search find prompt",
        A::LikeThis | A::LikeMarked => "similar nearest neighbors more find",
        A::Filter => "where query only show limit",
        A::ClearFilter => "reset unfilter",
        A::ToggleAll => "everything samples",
        A::SortRank | A::SortDetector | A::SortClass | A::SortPath | A::SortGroup | A::SortRandom => "order",
        A::SortUncertain | A::SortDiverse | A::SortClusters => "order active learning",
        A::SortLearned => "order active learning decisions adapt train",
        A::SortReverse => "order descending ascending invert",
        A::CycleEnsemble => "rule combine majority consensus vote",
        A::ThresholdUp | A::ThresholdDown => "sensitivity cutoff limit",
        A::Zoom => "fullscreen enlarge maximize",
        A::ActualSize => "100% pixels",
        A::Grid => "thumbnails gallery contact sheet tiles",
        A::KeepBy => "policy larger sharper older labeled test dedupe",
        A::Conflicts => "disputes disagree adjudicate disagreement",
        A::Who => "history blame author reviewer when",
        A::Export => "save csv parquet coco fiftyone webdataset huggingface write output",
        A::Plan => "repair diff changes preview",
        A::Report => "html markdown summary card",
        A::Apply => "repair clean copy write fix dataset",
        A::ToggleBlind => "second hide independent",
        A::Compare => "side diff pair",
        A::Group => "duplicates copies leaks dedupe near-duplicates clusters",
        A::KeepBest => "dedupe duplicates deduplicate",
        A::Map => "embedding scatter umap tsne plot",
        A::CopyPath => "clipboard yank",
        A::CopyRecord => "clipboard yank json details",
        A::OpenWith => "external viewer program show",
        A::Jobs => "tasks progress scan session problems",
        A::Histogram => "distribution scores chart threshold",
        A::Confusion => "matrix errors pairs mislabeled",
        A::Detectors => "settings parameters options plugins config",
        A::Statistics => "progress pace speed summary report stats count",
        A::Classes => "labels table balance categories",
        A::Prompts => "templates words clip zero-shot temperature workbench edit",
        A::Findings => "datalab issues imbalance drift spurious correlation overlap iid shift",
        A::History => "journal decisions audit recent",
        A::Log => "messages errors debug",
        A::Scan => "refresh rescan reload update index run",
        A::CancelJob => "stop abort kill",
        A::Theme => "colors colours dark light appearance settings style",
        A::ToggleStrip => "neighbors thumbnails settings",
        A::ToggleMouse => "click settings",
        A::ToggleAdvance => "next automatic settings",
        A::Help => "keys shortcuts bindings manual",
        A::Redraw => "refresh repaint",
        A::Suspend => "background shell",
        A::Quit => "exit close leave end",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Scope;
    use crate::model::{Picker, PickerItem, PickerKind};

    #[test]
    fn words_of_other_programs_find_the_action() {
        for (word, action) in [
            ("delete", Action::Remove),
            ("exit", Action::Quit),
            ("duplicates", Action::Group),
            ("dedupe", Action::Group),
            ("find", Action::Search),
            ("thumbnails", Action::Grid),
            ("colors", Action::Theme),
            ("remove", Action::Remove),
            ("rescan", Action::Scan),
            ("quit", Action::Quit),
        ] {
            let item = |action: &Action| PickerItem {
                name: action.name().to_owned(),
                note: action.doc().to_owned(),
                action: Some(*action),
                synonyms: synonyms(*action),
                ..PickerItem::default()
            };
            let listed = Action::ALL.iter().filter(|action| action.scope() == Scope::List);
            let mut picker = Picker::new(PickerKind::Palette, listed.map(item).collect());
            picker.line.insert(word);
            picker.refresh();
            assert_eq!(picker.chosen().and_then(|item| item.action), Some(action), "{word}");
        }
    }

    #[test]
    fn names_come_before_what_is_said_about_others() {
        for kind in [PickerKind::Palette, PickerKind::Help] {
            // Each is also part of the description of an action that stands before it.
            for (typed, action) in [
                ("undo", Action::Undo),
                ("group", Action::Group),
                ("mark", Action::Mark),
                ("next class", Action::NextClass),
                ("filter", Action::Filter),
                ("zoom", Action::Zoom),
                ("threshold", Action::ThresholdUp),
                ("map", Action::Map),
                ("class", Action::Classes),
                ("detector", Action::Detectors),
                ("theme", Action::Theme),
            ] {
                let item = |action: &Action| PickerItem {
                    name: if kind == PickerKind::Help { action.doc() } else { action.name() }.to_owned(),
                    note: action.doc().to_owned(),
                    action: Some(*action),
                    synonyms: synonyms(*action),
                    ..PickerItem::default()
                };
                let listed = Action::ALL.iter().filter(|action| action.scope() == Scope::List);
                let mut picker = Picker::new(kind.clone(), listed.map(item).collect());
                picker.line.insert(typed);
                picker.refresh();
                assert_eq!(picker.chosen().and_then(|item| item.action), Some(action), "{typed} in {kind:?}");
            }
        }
    }

    #[test]
    fn they_are_words_in_small_letters() {
        for action in Action::ALL {
            let words = synonyms(*action);
            assert!(words.split(' ').all(|word| words.is_empty() || !word.is_empty()), "{action}");
            assert_eq!(words, words.to_lowercase());
        }
    }
}
