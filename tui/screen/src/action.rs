//! All actions that a key can trigger. Keymap, help, palette and replayed tests all derive from this one list.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an action applies, and therefore which keymap table may bind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The list of samples with its picture, where decisions are made.
    List,
    /// A line being typed, with or without a list of matches above it.
    Prompt,
    /// A page shown over the rest: jobs.
    Pane,
    /// An interactive page: histogram, confusions, detectors, statistics, log.
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
        /// Something the user can do.
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

            /// One or two words for the hints on the bottom line.
            pub const fn short(self) -> &'static str {
                match self { $($(Action::$variant => $short,)*)* }
            }

            /// One sentence that says what it does.
            pub const fn doc(self) -> &'static str {
                match self { $($(Action::$variant => $doc,)*)* }
            }

            /// Where it applies.
            pub const fn scope(self) -> Scope {
                match self { $($(Action::$variant => Scope::$scope,)*)* }
            }

            /// Its kind, which determines the part of [`crate::update`] that handles it.
            pub const fn kind(self) -> Kind {
                match self { $($(Action::$variant => Kind::$kind(kind::$kind::$variant),)*)* }
            }
        }

        /// An action by kind. Each kind is a separate enum, so that the code that handles a kind
        /// matches all of its actions and the compiler reports a missing one.
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
        Keep "keep" "keep" "Keep the sample and go to the next undecided one",
        Remove "remove" "remove" "Remove the sample and go to the next undecided one",
        AcceptSuggestion "accept-suggestion" "accept" "Relabel the sample to the suggested label",
        Relabel "relabel" "relabel…" "Relabel the sample: type part of the class name",
        Candidate1 "candidate-1" "1st" "Relabel the sample to the candidate with this number",
        Candidate2 "candidate-2" "2nd" "Relabel the sample to candidate 2",
        Candidate3 "candidate-3" "3rd" "Relabel the sample to candidate 3",
        Candidate4 "candidate-4" "4th" "Relabel the sample to candidate 4",
        Candidate5 "candidate-5" "5th" "Relabel the sample to candidate 5",
        Candidate6 "candidate-6" "6th" "Relabel the sample to candidate 6",
        Candidate7 "candidate-7" "7th" "Relabel the sample to candidate 7",
        Candidate8 "candidate-8" "8th" "Relabel the sample to candidate 8",
        Candidate9 "candidate-9" "9th" "Relabel the sample to candidate 9",
        Unsure "unsure" "unsure" "Mark the sample as unsure and go to the next undecided one",
        ClearDecision "clear-decision" "clear" "Clear the decision on the sample",
        Repeat "repeat" "repeat" "Repeat the last decision on this sample",
        KeepGroup "keep-group" "keep group" "Keep every sample of the group",
        RemoveGroup "remove-group" "remove group" "Remove every sample of the group",
        RelabelGroup "relabel-group" "relabel group" "Relabel every sample of the group",
        UnsureGroup "unsure-group" "unsure group" "Mark every sample of the group as unsure",
        Undo "undo" "undo" "Undo the last decision, note or tag and go to its sample",
        Redo "redo" "redo" "Redo what was undone last",
        Note "note" "note" "Write a note about the sample",
        Tag "tag" "tag" "Add a tag to the sample, or remove one",
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
        NextClass "next-class" "next class" "Go to the next class's first row (sorts by class first)",
        PreviousClass "previous-class" "previous class" "Go to the last row of the class before (sorts by class)",
    }
    /// Marking rows.
    Mark in List {
        Mark "mark" "mark" "Mark or unmark the sample and go down",
        Visual "visual" "range" "Start marking a range of rows here, or end it here",
        MarkAll "mark-all" "mark all" "Mark every row of the filtered list",
        ClearMarks "clear-marks" "clear marks" "Clear marks, range, search and message",
    }
    /// Choosing what is listed and in which order, and finding a row.
    Find in List {
        Search "search" "search" "Search the list for part of a path or label",
        NextHit "next-hit" "next match" "Go to the next row that matches the search",
        PreviousHit "previous-hit" "previous match" "Go to the previous row that matches the search",
        Filter "filter" "filter" "List only the rows that match; an empty prompt lists all",
        ClearFilter "clear-filter" "clear filter" "Clear the filter",
        Meaning "meaning" "by meaning" "Sort by meaning: a text, cat + snow, like:this",
        LikeThis "like-this" "like this" "Sort by likeness to the sample under the cursor",
        LikeMarked "like-marked" "like marked" "Sort by likeness to the marked samples together",
        ToggleAll "toggle-all" "all/suspects" "List all samples, or only the suspects",
        SortRank "sort-rank" "rank" "Sort by the ensemble's rank, worst first",
        SortDetector "sort-detector" "detector" "Sort by the selected detector, worst first",
        SortClass "sort-class" "class" "Sort by class, worst first within each class",
        SortPath "sort-path" "path" "Sort by path",
        SortGroup "sort-group" "group" "Sort by duplicate group, worst group first",
        SortAttribute "sort-attribute" "attribute" "Sort by an attribute of a detector, or by the next one",
        SortRandom "sort-random" "random" "Random order (always the same)",
        SortUncertain "sort-uncertain" "uncertain" "Sort by uncertainty: as likely bad as fine first",
        SortDiverse "sort-diverse" "diverse" "Sort by variety: each least like all before it",
        SortClusters "sort-clusters" "clusters" "Sort by turns: the worst of each cluster, then the next",
        SortLearned "sort-learned" "learned" "Sort by what your decisions teach; again: anew",
        SortReverse "sort-reverse" "reverse" "Reverse the order",
    }
    /// The selected detector and the ensemble rule.
    Detector in List {
        NextDetector "next-detector" "next detector" "Select the next detector",
        PreviousDetector "previous-detector" "previous detector" "Select the previous detector",
        ThresholdUp "threshold-up" "threshold +" "Raise the selected detector's threshold: it flags more",
        ThresholdDown "threshold-down" "threshold −" "Lower the selected detector's threshold: it flags less",
        CycleEnsemble "cycle-ensemble" "ensemble" "Change the rule that combines the detectors",
    }
    /// How the sample under the cursor is displayed.
    Look in List {
        ScrollDown "scroll-down" "scroll" "Scroll the details down",
        ScrollUp "scroll-up" "scroll" "Scroll the details up",
        Zoom "zoom" "zoom" "Show the picture full screen, or small again",
        ActualSize "actual-size" "1:1" "Show the picture at actual size (arrows pan), or fit it",
        Larger "larger" "larger" "Zoom in on a picture or the map; fewer columns in the grid",
        Smaller "smaller" "smaller" "Zoom out of a picture or the map; more columns in the grid",
        Left "left" "left" "Go to the previous cell, or the previous other sample",
        Right "right" "right" "Go to the next cell, or the next other sample",
    }
    /// Handled by a page that shows samples; most of them open it.
    View in List {
        Grid "grid" "grid" "Show the list as a grid of pictures, or as a list again",
        Compare "compare" "compare" "Compare the sample with a copy, neighbor or medoid",
        Blink "blink" "blink" "Flip between the sample and the other one in the same spot",
        Overlay "overlay" "names" "Show or hide names and scores next to the pictures",
        GoToOther "go-to-other" "show in list" "Go to the sample shown beside this one",
        Group "group" "group" "Show groups of copies and leaks; decide each as a whole",
        KeepBest "keep-best" "keep best" "Keep the best sample of the group and remove the others",
        KeepBy "keep-by" "keep by…" "Choose the rule by which one of the group is kept",
        Conflicts "conflicts" "conflicts" "Walk and settle the samples on which reviewers disagree",
        Clusters "clusters" "clusters" "Show the class's clusters: medoids and farthest members",
        Map "map" "map" "Show the embeddings as a map",
        Neighborhoods "neighborhoods" "neighborhoods" "Switch the map: neighborhoods (t-SNE), UMAP or components",
    }
    /// Copying to the clipboard.
    Clipboard in List {
        CopyPath "copy-path" "copy path" "Copy the path of the sample to the terminal's clipboard",
    }
    /// Handled by an interactive or read-only page; they open it.
    Page in List {
        Jobs "jobs" "jobs" "Show jobs, detectors and the log",
        Histogram "histogram" "histogram" "Show the selected detector's scores; move its threshold",
        Confusion "confusion" "confusions" "Show given against suggested labels; list a pair",
        Detectors "detectors" "detectors" "Show the detectors and set their parameters",
        ManageDetectors "manage-detectors" "manage" "Manage detectors: state, origin, cost, last two runs",
        Classes "classes" "classes" "Show the classes: size, suspects, decided, error rate",
        Findings "dataset" "findings" "Show what is wrong with the dataset as a whole",
        Prompts "prompts" "prompts" "Edit the prompts of the classes and see what moves",
        History "history" "history" "Show the last decisions and go to their samples",
        Who "who" "who" "Show who decided what about the sample, and when",
        Statistics "statistics" "statistics" "Show your pace, how often you agree, and what is left",
        Reading "reading" "reading" "Show what reading the dataset left out or guessed",
        Export "export" "export" "Export decisions: choose a format and see what is written",
        Plan "plan" "plan" "Plan changes to the dataset: see and save them",
        Report "report" "report" "Write a report: choose a format and see what is in it",
        Apply "apply" "apply" "Write a changed copy of the dataset: see the changes first",
        Log "log" "log" "Show only the log",
    }
    /// Background work.
    Job in List {
        Scan "scan" "scan" "Bring the session up to date: read, embed, run detectors",
        CancelJob "cancel-job" "cancel job" "Cancel the running job; finished work is kept",
        RerunDetector "rerun-detector" "rerun" "Run the selected detector again",
    }
    /// The program itself.
    Program in List {
        ToggleAdvance "toggle-advance" "auto-advance" "Auto-advance to the next undecided sample: on or off",
        ToggleBlind "toggle-blind" "blind" "Hide what other reviewers decided, or show it again",
        RecordMacro "record-macro" "record" "Start or stop recording keys",
        ReplayMacro "replay-macro" "replay" "Replay the recorded keys once",
        ReplayMacroTimes "replay-macro-times" "replay…" "Replay the recorded keys a number of times",
        ToggleMouse "toggle-mouse" "mouse" "Use the mouse here, or leave it to the terminal",
        OpenWith "open-with" "open" "Open the file of the sample with another program",
        Theme "theme" "theme" "Choose a theme",
        ToggleRegions "toggle-regions" "regions" "Show or hide the regions that detectors mark in pictures",
        ToggleRelevance "toggle-relevance" "relevance" "Light pictures where the model sees their label or search",
        ToggleStrip "toggle-strip" "strip" "Show or hide the pictures of neighbors below the sample",
        CopyRecord "copy-record" "copy record" "Copy everything known about the sample as one line of JSON",
        Help "help" "help" "Show every key and what it does, those of this page first",
        Palette "palette" "palette" "Run an action by name; 12, +5, -5 or 50% goes to a row",
        Redraw "redraw" "redraw" "Redraw the whole screen",
        Suspend "suspend" "suspend" "Stop the program and go back to the shell; `fg` continues",
        Cancel "cancel" "cancel" "Cancel the current operation; twice in a row quits",
        Back "back" "back" "Go back one level: close a picture or page; or quit",
        Quit "quit" "quit" "Quit once every decision is saved",
    }
    /// Typing a line.
    Prompt in Prompt {
        PromptAccept "prompt-accept" "accept" "Accept what is typed or selected",
        PromptCancel "prompt-cancel" "cancel" "Close the prompt and change nothing",
        PromptNext "prompt-next" "next" "Select the next match",
        PromptPrevious "prompt-previous" "previous" "Select the previous match",
        PromptPageDown "prompt-page-down" "page down" "Go one page of matches down",
        PromptPageUp "prompt-page-up" "page up" "Go one page of matches up",
        PromptComplete "prompt-complete" "complete" "Complete the word, or use the selected match",
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
        PaneCancelJob "pane-cancel-job" "cancel job" "Cancel the running job; finished work is kept",
    }
    /// Working on a page.
    Panel in Panel {
        PanelClose "panel-close" "close" "Close the page",
        PanelLeft "panel-left" "less" "Go left, or decrease the value by one step",
        PanelRight "panel-right" "more" "Go right, or increase the value by one step",
        PanelUp "panel-up" "up" "Go up; raise the threshold by a thousandth (histogram)",
        PanelDown "panel-down" "down" "Go down; lower the threshold by a thousandth (histogram)",
        PanelPageUp "panel-page-up" "page up" "Go a page up; raise the threshold by a tenth (histogram)",
        PanelPageDown "panel-page-down" "page down" "Go a page down; lower the threshold a tenth (histogram)",
        PanelStart "panel-start" "start" "Go to the start, or to the lowest value",
        PanelEnd "panel-end" "end" "Go to the end, or to the highest value",
        PanelNext "panel-next" "next" "Go to the next detector, or the next most frequent pair",
        PanelPrevious "panel-previous" "previous" "Go to the previous detector, or the pair before",
        PanelAccept "panel-accept" "choose" "List what is selected, or change the value",
        PanelPropose "panel-propose" "take proposal" "Take the threshold that your decisions propose (histogram)",
        PanelReset "panel-reset" "default" "Reset the value to its default",
        PanelScale "panel-scale" "scale" "Switch between a logarithmic and a linear scale",
        PanelRun "panel-run" "run" "Run the detector again, or write, as on the screen",
        PanelTry "panel-try" "count" "Count what the values on the screen would flag",
        PanelToggle "panel-toggle" "on/off" "Enable the detector in this session, or disable it",
        PanelLetIn "panel-let-in" "let in" "Let a detector run that was set aside or has changed",
        PanelRemove "panel-remove" "results" "Remove results of a detector not loaded, or put them back",
        PanelNewly "panel-newly" "newly" "List what only the detector's last run flags",
        PanelFormerly "panel-formerly" "formerly" "List what only the detector's run before flags",
        PanelCancelJob "panel-cancel-job" "cancel job" "Cancel the running job; finished work is kept",
    }
}

impl Action {
    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// The action with the most similar name, for error messages.
    pub fn nearest(name: &str) -> Action {
        let score = |action: &&Action| (strsim::jaro_winkler(action.name(), name) * 1e6) as i64;
        Action::ALL.iter().max_by_key(score).copied().unwrap_or(Action::Help)
    }

    /// Whether it decides about samples at once, or takes a decision back, without asking for words.
    pub fn decides(self) -> bool {
        matches!(self.kind(), Kind::Decide(_))
            && !matches!(self, Action::Relabel | Action::RelabelGroup | Action::Note | Action::Tag)
            || self == Action::KeepBest
    }

    /// Whether it asks for words: a class, a tag, a filter.
    pub fn takes_words(self) -> bool {
        let asks = [
            Action::Relabel,
            Action::RelabelGroup,
            Action::Note,
            Action::Tag,
            Action::Filter,
            Action::Search,
        ];
        asks.contains(&self)
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
