//! Everything a key can mean. The keymap, the help, the palette and replayed tests all come from this one list.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an action makes sense, and so which part of a keymap may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The list of samples with its picture: the place where decisions are made.
    List,
    /// A line being typed, with or without a list of matches above it.
    Prompt,
    /// A page shown over the rest: jobs and log.
    Pane,
    /// A page that is worked in: histogram, confusions, detectors, statistics, log.
    Panel,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Scope; 4] = [Scope::List, Scope::Prompt, Scope::Pane, Scope::Panel];

    /// The name of its table in a keymap file.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::List => "list",
            Scope::Prompt => "prompt",
            Scope::Pane => "pane",
            Scope::Panel => "panel",
        }
    }
}

macro_rules! actions {
    ($(
        $(#[doc = $about:literal])+
        $kind:ident in $scope:ident { $($variant:ident $name:literal $short:literal $doc:literal,)* }
    )*) => {
        /// One thing a person can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Action {
            $($(
                #[doc = $doc]
                #[serde(rename = $name)]
                $variant,
            )*)*
        }

        impl Action {
            /// Every action, in the order of the help.
            pub const ALL: &'static [Action] = &[$($(Action::$variant,)*)*];

            /// Its name in keymap files and in the palette.
            pub const fn name(self) -> &'static str {
                match self { $($(Action::$variant => $name,)*)* }
            }

            /// One or two words for the hints at the bottom of the screen.
            pub const fn short(self) -> &'static str {
                match self { $($(Action::$variant => $short,)*)* }
            }

            /// One sentence that says what it does.
            pub const fn doc(self) -> &'static str {
                match self { $($(Action::$variant => $doc,)*)* }
            }

            /// Where it makes sense.
            pub const fn scope(self) -> Scope {
                match self { $($(Action::$variant => Scope::$scope,)*)* }
            }

            /// What it is about, and so which part of [`crate::update`] does it.
            pub const fn kind(self) -> Kind {
                match self { $($(Action::$variant => Kind::$kind(kind::$kind::$variant),)*)* }
            }
        }

        /// An action by what it is about. Each kind is an enum of its own, so that whoever does the actions of a kind
        /// matches all of them and the compiler finds what is missing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[doc = $about])+ $kind(kind::$kind),)*
        }

        /// The actions of each kind.
        pub mod kind {
            $(
                $(#[doc = $about])+
                #[derive(Clone, Copy, Debug, PartialEq, Eq)]
                pub enum $kind {
                    $(#[doc = $doc] $variant,)*
                }

                impl From<$kind> for super::Action {
                    fn from(action: $kind) -> super::Action {
                        match action { $($kind::$variant => super::Action::$variant,)* }
                    }
                }
            )*
        }
    };
}

actions! {
    /// Deciding about samples.
    Decide in List {
        Keep "keep" "keep" "Keep the sample as it is and go to the next undecided one",
        Remove "remove" "remove" "Remove the sample and go to the next undecided one",
        AcceptSuggestion "accept-suggestion" "accept" "Relabel the sample to the suggested label",
        Relabel "relabel" "relabel…" "Relabel the sample: choose the class by typing a part of its name",
        Candidate1 "candidate-1" "1st" "Relabel the sample to the class candidate with this number",
        Candidate2 "candidate-2" "2nd" "Relabel the sample to class candidate 2",
        Candidate3 "candidate-3" "3rd" "Relabel the sample to class candidate 3",
        Candidate4 "candidate-4" "4th" "Relabel the sample to class candidate 4",
        Candidate5 "candidate-5" "5th" "Relabel the sample to class candidate 5",
        Candidate6 "candidate-6" "6th" "Relabel the sample to class candidate 6",
        Candidate7 "candidate-7" "7th" "Relabel the sample to class candidate 7",
        Candidate8 "candidate-8" "8th" "Relabel the sample to class candidate 8",
        Candidate9 "candidate-9" "9th" "Relabel the sample to class candidate 9",
        Unsure "unsure" "unsure" "Say that you cannot tell and go to the next undecided sample",
        ClearDecision "clear-decision" "clear" "Take the decision about the sample back",
        Repeat "repeat" "repeat" "Decide as you did last time",
        KeepGroup "keep-group" "keep group" "Keep every sample of the group",
        RemoveGroup "remove-group" "remove group" "Remove every sample of the group",
        RelabelGroup "relabel-group" "relabel group" "Relabel every sample of the group",
        UnsureGroup "unsure-group" "unsure group" "Mark every sample of the group as unsure",
        Undo "undo" "undo" "Take the last entry of the journal back and go to its sample",
        Redo "redo" "redo" "Do again what was taken back last",
        Note "note" "note" "Write a note about the sample",
        Tag "tag" "tag" "Add a tag to the sample, or take one away",
    }
    /// Moving over the rows.
    Move in List {
        Down "down" "down" "Go to the next row",
        Up "up" "up" "Go to the previous row",
        PageDown "page-down" "page down" "Go one page down",
        PageUp "page-up" "page up" "Go one page up",
        HalfPageDown "half-page-down" "half page down" "Go half a page down",
        HalfPageUp "half-page-up" "half page up" "Go half a page up",
        Top "top" "top" "Go to the first row",
        Bottom "bottom" "bottom" "Go to the last row",
        NextUndecided "next-undecided" "next undecided" "Go to the next row without a decision",
        PreviousUndecided "previous-undecided" "previous undecided" "Go to the previous row without a decision",
        NextClass "next-class" "next class" "Go to the first row of the next class (sorts by class first)",
        PreviousClass "previous-class" "previous class" "Go to the last row of the previous class (sorts by class first)",
    }
    /// Marking rows.
    Mark in List {
        Mark "mark" "mark" "Mark the sample, or take its mark away, and go down",
        Visual "visual" "range" "Mark a range of rows: begin here, or finish here",
        MarkAll "mark-all" "mark all" "Mark every row of the list as it is filtered now",
        ClearMarks "clear-marks" "clear marks" "Forget marks, range, search and message",
    }
    /// Choosing what is listed, in which order, and finding a row of it.
    Find in List {
        Search "search" "search" "Search the list for a part of a path or a label",
        NextHit "next-hit" "next hit" "Go to the next row that matches the search",
        PreviousHit "previous-hit" "previous hit" "Go to the previous row that matches the search",
        Filter "filter" "filter" "List only rows that match: words, class:NAME, detector:NAME, undecided, score<0.3, …",
        ClearFilter "clear-filter" "clear filter" "Take the filter away",
        ToggleAll "toggle-all" "all/suspects" "List all samples, or only the suspects",
        SortRank "sort-rank" "rank" "Sort by the ensemble's rank, worst first",
        SortDetector "sort-detector" "detector" "Sort by the score of the chosen detector, worst first",
        SortClass "sort-class" "class" "Sort by class, worst first within one",
        SortPath "sort-path" "path" "Sort by path",
        SortGroup "sort-group" "group" "Sort so that duplicate groups stand together, worst group first",
        SortRandom "sort-random" "random" "Shuffle by a fixed key",
        SortReverse "sort-reverse" "reverse" "Turn the order round",
    }
    /// The chosen detector and the rule that joins all.
    Detector in List {
        NextDetector "next-detector" "next detector" "Choose the next detector, for its threshold and its order",
        PreviousDetector "previous-detector" "previous detector" "Choose the previous detector",
        ThresholdUp "threshold-up" "threshold +" "Raise the threshold of the chosen detector: it flags more",
        ThresholdDown "threshold-down" "threshold −" "Lower the threshold of the chosen detector: it flags less",
        CycleEnsemble "cycle-ensemble" "ensemble" "Change the rule that joins detectors: or, majority, mean rank, consensus and others",
    }
    /// How the sample under the cursor is seen.
    Look in List {
        ScrollDown "scroll-down" "scroll" "Scroll the details down",
        ScrollUp "scroll-up" "scroll" "Scroll the details up",
        Zoom "zoom" "zoom" "Show the picture as large as the screen, or small again",
        ActualSize "actual-size" "1:1" "Show the picture pixel by pixel, or fitted again; the arrow keys move over it",
        Larger "larger" "larger" "Fewer columns in a grid, a larger part of a picture or of the map",
        Smaller "smaller" "smaller" "More columns in a grid, a smaller part of a picture or of the map",
        Left "left" "left" "Go left: to the previous cell, to the previous sample beside this one",
        Right "right" "right" "Go right: to the next cell, to the next sample beside this one",
    }
    /// Done by a page that shows samples: opening it above all.
    View in List {
        Grid "grid" "grid" "Show the list as a grid of pictures, or as a list again",
        Compare "compare" "compare" "Compare the sample with a copy, a neighbour or a medoid side by side",
        Blink "blink" "blink" "Show the sample and the other one by turns in the same place",
        Overlay "overlay" "names" "Show names and scores at the pictures, or more of the pictures",
        GoToOther "go-to-other" "go to it" "Go to the sample that is shown beside this one",
        Group "group" "group" "Show the groups of copies and leaks one by one, to be decided as a whole",
        KeepBest "keep-best" "keep best" "Keep the best sample of the group and remove the others",
        Clusters "clusters" "clusters" "Show the clusters of the class: who stands for each, and who is farthest from it",
        Map "map" "map" "Show the embeddings as a map",
        Neighborhoods "neighborhoods" "neighborhoods" "Show the map by neighborhoods (t-SNE), or by principal components again",
    }
    /// What goes to the clipboard.
    Clipboard in List {
        CopyPath "copy-path" "copy path" "Copy the path of the sample to the clipboard of your terminal",
    }
    /// Done by a page that is worked in or read: opening it.
    Page in List {
        Jobs "jobs" "jobs" "Show jobs, detectors and the log",
        Histogram "histogram" "histogram" "Show the scores of the chosen detector and move its threshold",
        Confusion "confusion" "confusions" "Show given against suggested labels and list a pair of them",
        Detectors "detectors" "detectors" "Show the detectors and what they can be told",
        Statistics "statistics" "statistics" "Show how fast the review goes, how often you agree, what is left",
        Log "log" "log" "Show the log alone",
    }
    /// Background work.
    Job in List {
        Scan "scan" "scan" "Bring the session up to date: index, embed, run the detectors",
        CancelJob "cancel-job" "cancel job" "Stop the running job; what is finished is kept",
        RerunDetector "rerun-detector" "rerun" "Run the chosen detector again",
    }
    /// The program itself.
    Program in List {
        ToggleAdvance "toggle-advance" "auto-advance" "Go to the next undecided sample after a decision, or stay",
        RecordMacro "record-macro" "record" "Begin to record keys, or end it",
        ReplayMacro "replay-macro" "replay" "Press the recorded keys once more",
        ReplayMacroTimes "replay-macro-times" "replay…" "Press the recorded keys as often as you say",
        ToggleMouse "toggle-mouse" "mouse" "Take clicks and the wheel, or leave them to the terminal's selection",
        CopyRecord "copy-record" "copy record" "Copy everything said about the sample as one line of JSON",
        Help "help" "help" "Show every key and what it does",
        Palette "palette" "palette" "Find an action by name and do it; a number goes to that row",
        Redraw "redraw" "redraw" "Draw the whole screen again",
        Suspend "suspend" "suspend" "Stop the program and go back to the shell; `fg` continues",
        Cancel "cancel" "cancel" "Cancel what is going on; twice in a row quits",
        Quit "quit" "quit" "Quit once every decision is saved",
    }
    /// Typing a line.
    Prompt in Prompt {
        PromptAccept "prompt-accept" "accept" "Accept what is typed or chosen",
        PromptCancel "prompt-cancel" "cancel" "Close the prompt and change nothing",
        PromptNext "prompt-next" "next" "Choose the next match",
        PromptPrevious "prompt-previous" "previous" "Choose the previous match",
        PromptPageDown "prompt-page-down" "page down" "Go one page of matches down",
        PromptPageUp "prompt-page-up" "page up" "Go one page of matches up",
        PromptComplete "prompt-complete" "complete" "Complete the word, or take over the chosen match",
        PromptLeft "prompt-left" "left" "Move the text cursor left",
        PromptRight "prompt-right" "right" "Move the text cursor right",
        PromptHome "prompt-home" "start" "Move the text cursor to the start",
        PromptEnd "prompt-end" "end" "Move the text cursor to the end",
        PromptBackspace "prompt-backspace" "delete" "Delete the character before the text cursor",
        PromptDelete "prompt-delete" "delete" "Delete the character under the text cursor",
        PromptDeleteWord "prompt-delete-word" "delete word" "Delete the word before the text cursor",
        PromptDeleteLine "prompt-delete-line" "delete line" "Delete everything before the text cursor",
    }
    /// Reading a page.
    Pane in Pane {
        PaneClose "pane-close" "close" "Close the page",
        PaneDown "pane-down" "down" "Scroll down",
        PaneUp "pane-up" "up" "Scroll up",
        PanePageDown "pane-page-down" "page down" "Scroll one page down",
        PanePageUp "pane-page-up" "page up" "Scroll one page up",
        PaneTop "pane-top" "top" "Scroll to the start",
        PaneBottom "pane-bottom" "bottom" "Scroll to the end",
        PaneCancelJob "pane-cancel-job" "cancel job" "Stop the running job; what is finished is kept",
    }
    /// Working in a page.
    Panel in Panel {
        PanelClose "panel-close" "close" "Close the page",
        PanelLeft "panel-left" "less" "Go left, or make the value smaller by a step",
        PanelRight "panel-right" "more" "Go right, or make the value larger by a step",
        PanelUp "panel-up" "up" "Go up; in the histogram raise the threshold by a thousandth",
        PanelDown "panel-down" "down" "Go down; in the histogram lower the threshold by a thousandth",
        PanelPageUp "panel-page-up" "page up" "Go one page up; in the histogram raise the threshold by a tenth",
        PanelPageDown "panel-page-down" "page down" "Go one page down; in the histogram lower the threshold by a tenth",
        PanelStart "panel-start" "start" "Go to the start, or to the lowest value",
        PanelEnd "panel-end" "end" "Go to the end, or to the highest value",
        PanelNext "panel-next" "next" "Go to the next detector, or to the next most frequent confusion",
        PanelPrevious "panel-previous" "previous" "Go to the previous detector, or to the more frequent confusion",
        PanelAccept "panel-accept" "choose" "List what is chosen, or change the value",
        PanelReset "panel-reset" "default" "Go back to the default of the value",
        PanelScale "panel-scale" "scale" "Change between a logarithmic and a linear scale",
        PanelRun "panel-run" "run" "Run the chosen detector again with the values on the screen",
        PanelCancelJob "panel-cancel-job" "cancel job" "Stop the running job; what is finished is kept",
    }
}

impl Action {
    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// The action whose name is written most alike, for error messages.
    pub fn nearest(name: &str) -> Action {
        let score = |action: &&Action| (strsim::jaro_winkler(action.name(), name) * 1e6) as i64;
        Action::ALL.iter().max_by_key(score).copied().unwrap_or(Action::Help)
    }

    /// Which class candidate it chooses, counted from 0.
    pub fn candidate(self) -> Option<usize> {
        let first = Action::Candidate1 as usize;
        let place = (self as usize).checked_sub(first)?;
        (place < 9).then_some(place)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
