//! What each action does.

use super::motion::{self, go, page, relist, touch};
use super::{Effect, Effects, decide, engine, macros, panels, prompt, record, say, send, views, walk};
use crate::action::Action;
use crate::model::{Anchor, Level, Mode, Model, Op, PanelKind, Purpose, Then};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{Command, EnsembleRule, Query, Sort};

/// Does one action.
pub fn act(model: &mut Model, action: Action, fx: &mut Effects) {
    use Action as A;
    if matches!(model.toast, Some(ref toast) if toast.level != Level::Info) {
        model.toast = None;
    }
    if views::act(model, action, fx) {
        return;
    }
    let cursor = model.list.cursor;
    match action {
        A::Keep | A::KeepGroup => decide::ask(model, action, Choice::Keep, fx),
        A::Remove | A::RemoveGroup => decide::ask(model, action, Choice::Remove, fx),
        A::Unsure | A::UnsureGroup => decide::ask(model, action, Choice::Unsure, fx),
        A::AcceptSuggestion => decide::accept(model, fx),
        A::Relabel | A::RelabelGroup => decide::relabel(model, action, fx),
        A::Candidate1
        | A::Candidate2
        | A::Candidate3
        | A::Candidate4
        | A::Candidate5
        | A::Candidate6
        | A::Candidate7
        | A::Candidate8
        | A::Candidate9 => {
            decide::candidate(model, action, action.candidate().unwrap_or(0), fx);
        }
        A::ClearDecision => decide::clear(model, action, fx),
        A::Repeat => match model.last_choice.clone() {
            Some(choice) => decide::ask(model, action, choice, fx),
            None => say(model, Level::Warning, "nothing to repeat yet"),
        },
        A::Undo => {
            model.journal.push(Op::Undo);
            send(fx, Command::Undo);
        }
        A::Redo => {
            model.journal.push(Op::Redo);
            send(fx, Command::Redo);
        }
        A::Note => prompt::open_note(model, action, fx),
        A::Tag => prompt::open_tag(model, action, fx),

        A::Down => go(model, cursor.saturating_add(1)),
        A::Up => go(model, cursor.saturating_sub(1)),
        A::PageDown => go(model, cursor.saturating_add(page(model))),
        A::PageUp => go(model, cursor.saturating_sub(page(model))),
        A::HalfPageDown => go(model, cursor.saturating_add(page(model) / 2)),
        A::HalfPageUp => go(model, cursor.saturating_sub(page(model) / 2)),
        A::Top => engine::go_to_end(model, 0, fx),
        A::Bottom => engine::go_to_end(model, u64::MAX, fx),
        A::NextUndecided => motion::undecided(model, true, fx),
        A::PreviousUndecided => motion::undecided(model, false, fx),
        A::NextClass | A::PreviousClass => class(model, action == A::NextClass, fx),

        A::Mark => {
            if let Some(sample) = model.sample() {
                if !model.marks.remove(&sample) {
                    model.marks.insert(sample);
                }
                go(model, cursor.saturating_add(1));
            }
        }
        A::Visual => match model.visual.take() {
            Some(from) => walk::gather(model, from.min(cursor), from.max(cursor), Then::Mark, fx),
            None => model.visual = Some(cursor),
        },
        A::MarkAll => walk::gather(model, 0, model.list.total.saturating_sub(1), Then::Mark, fx),
        A::ClearMarks => clear_marks(model),

        A::Search => prompt::open_search(model),
        A::NextHit | A::PreviousHit => {
            if model.search.is_empty() {
                prompt::open_search(model);
            } else {
                let purpose = Purpose::Search(model.search.to_lowercase());
                walk::start(model, purpose, action == A::NextHit, fx);
            }
        }
        A::Filter => prompt::open_filter(model),
        A::ClearFilter => motion::filter(model, "", fx),
        A::ToggleAll => {
            let query = Query { all: !model.list.query.all, ..model.list.query.clone() };
            let text = if query.all { "all samples" } else { "suspects only" };
            relist(model, query, Anchor::Stay, fx);
            say(model, Level::Info, text);
        }
        A::SortRank => motion::sort(model, Sort::Rank, fx),
        A::SortClass => motion::sort(model, Sort::Class, fx),
        A::SortPath => motion::sort(model, Sort::Path, fx),
        A::SortGroup => motion::sort(model, Sort::Group, fx),
        A::SortRandom => motion::sort(model, Sort::Random, fx),
        A::SortDetector => {
            if let Some(name) = detector(model) {
                motion::sort(model, Sort::Detector(name), fx);
            }
        }
        A::SortReverse => {
            let query = Query { descending: !model.list.query.descending, ..model.list.query.clone() };
            relist(model, query, Anchor::Stay, fx);
        }

        A::NextDetector | A::PreviousDetector => choose_detector(model, action == A::NextDetector),
        A::ThresholdUp => threshold(model, 0.01),
        A::ThresholdDown => threshold(model, -0.01),
        A::CycleEnsemble => ensemble(model, fx),
        A::ScrollDown => model.scroll = model.scroll.saturating_add(3),
        A::ScrollUp => model.scroll = model.scroll.saturating_sub(3),
        A::Zoom => {
            model.zoom = !model.zoom;
            let height = page(model);
            model.list.reveal(height);
        }
        // All of these were done above.
        A::ActualSize
        | A::Larger
        | A::Smaller
        | A::Left
        | A::Right
        | A::Grid
        | A::Compare
        | A::Blink
        | A::Overlay
        | A::GoToOther
        | A::Group
        | A::KeepBest
        | A::Clusters
        | A::Map
        | A::Neighborhoods => {}
        A::CopyPath => copy(model, fx),

        A::CopyRecord => match record::record(model) {
            Some(text) => {
                say(model, Level::Info, "copied the record of this sample as JSON");
                fx.push(Effect::Copy(text));
            }
            None => say(model, Level::Warning, "no sample is here yet"),
        },
        A::Histogram => panels::open(model, PanelKind::Histogram, fx),
        A::Confusion => panels::open(model, PanelKind::Confusion, fx),
        A::Detectors => panels::open(model, PanelKind::Detectors, fx),
        A::Statistics => panels::open(model, PanelKind::Statistics, fx),
        A::Log => panels::open(model, PanelKind::Log, fx),
        A::RecordMacro => macros::record(model),
        A::ReplayMacro => macros::replay(model, 1),
        A::ReplayMacroTimes => prompt::open_times(model),
        A::ToggleMouse => {
            model.mouse = !model.mouse;
            let text = if model.mouse {
                "clicks and the wheel work here; hold Shift to select text"
            } else {
                "the mouse selects text as usual"
            };
            say(model, Level::Info, text);
            fx.push(Effect::Mouse(model.mouse));
        }

        A::Jobs => model.mode = Mode::Jobs(0),
        A::Scan => {
            send(fx, Command::Scan { detectors: Vec::new() });
            say(model, Level::Info, "scanning");
        }
        A::CancelJob | A::PaneCancelJob => {
            send(fx, Command::Cancel);
            model.jobs.progress = None;
            say(model, Level::Info, "stopping the job; what is finished is kept");
        }
        A::RerunDetector => {
            if let Some(name) = detector(model) {
                say(model, Level::Info, format!("running {name} again"));
                send(fx, Command::Rerun { detector: name, params: Default::default() });
            }
        }
        A::ToggleAdvance => {
            model.advance = !model.advance;
            let text = if model.advance { "after a decision: go on" } else { "after a decision: stay" };
            say(model, Level::Info, text);
            touch(model);
        }
        A::Help => prompt::open_help(model),
        A::Palette => prompt::open_palette(model),
        A::Redraw => {
            model.rows.mark_stale();
            model.details.expire();
            fx.push(Effect::Redraw);
        }
        A::Suspend => fx.push(Effect::Suspend),
        A::Cancel => cancel(model, fx),
        A::Quit => quit(model, 5_000, fx),

        A::PaneClose => model.mode = Mode::List,
        A::PaneDown => motion::scroll_pane(model, 1),
        A::PaneUp => motion::scroll_pane(model, -1),
        A::PanePageDown => motion::scroll_pane(model, i32::from(model.size.height) - 4),
        A::PanePageUp => motion::scroll_pane(model, 4 - i32::from(model.size.height)),
        A::PaneTop => model.mode = Mode::Jobs(0),
        A::PaneBottom => motion::scroll_pane(model, 30_000),

        A::PromptAccept
        | A::PromptCancel
        | A::PromptNext
        | A::PromptPrevious
        | A::PromptPageDown
        | A::PromptPageUp
        | A::PromptComplete
        | A::PromptLeft
        | A::PromptRight
        | A::PromptHome
        | A::PromptEnd
        | A::PromptBackspace
        | A::PromptDelete
        | A::PromptDeleteWord
        | A::PromptDeleteLine => {
            if panels::editing(model) {
                panels::prompt(model, action);
            } else {
                prompt::act(model, action, fx);
            }
        }

        A::PanelClose
        | A::PanelLeft
        | A::PanelRight
        | A::PanelUp
        | A::PanelDown
        | A::PanelPageUp
        | A::PanelPageDown
        | A::PanelStart
        | A::PanelEnd
        | A::PanelNext
        | A::PanelPrevious
        | A::PanelAccept
        | A::PanelReset
        | A::PanelScale
        | A::PanelRun
        | A::PanelCancelJob => panels::act(model, action, fx),
    }
}

/// The name of the chosen detector, or a message that there is none.
fn detector(model: &mut Model) -> Option<String> {
    let name = model.session.as_ref().and_then(|s| s.detectors.get(model.detector)).map(|d| d.name.clone());
    if name.is_none() {
        say(model, Level::Warning, "no detector has run yet");
    }
    name
}

fn choose_detector(model: &mut Model, forward: bool) {
    let Some(session) = &model.session else { return };
    let count = session.detectors.len();
    if count == 0 {
        return say(model, Level::Warning, "no detector has run yet");
    }
    model.detector = (model.detector.min(count - 1) + if forward { 1 } else { count - 1 }) % count;
    let chosen = &session.detectors[model.detector];
    let text = format!("{}: {} (threshold {:.2})", chosen.name, chosen.summary, chosen.threshold);
    say(model, Level::Info, text);
    touch(model);
}

/// The threshold of the chosen detector, as it stands on the screen.
pub(super) fn chosen_threshold(model: &Model) -> Option<f32> {
    Some(model.session.as_ref()?.detectors.get(model.detector)?.threshold)
}

/// Moves the threshold on the screen at once; the engine hears of it when the key rests.
pub(super) fn threshold(model: &mut Model, by: f32) {
    let Some(name) = detector(model) else { return };
    let at = model.now + 120;
    let Some(session) = &mut model.session else { return };
    let chosen = &mut session.detectors[model.detector];
    chosen.threshold = ((chosen.threshold + by).clamp(0.0, 1.0) * 1000.0).round() / 1000.0;
    let value = chosen.threshold;
    model.threshold = Some((name.clone(), value, at));
    let digits = if (value * 100.0).fract().abs() < 1e-3 { 2 } else { 3 };
    say(model, Level::Info, format!("{name} flags below {value:.digits$}"));
}

fn ensemble(model: &mut Model, fx: &mut Effects) {
    let Some(session) = &mut model.session else { return };
    // Round through those that need no numbers; any other one goes back to the first.
    let (rule, text) = match session.ensemble {
        EnsembleRule::Or => (EnsembleRule::Majority, "majority: by how many detectors agree"),
        EnsembleRule::Majority => (EnsembleRule::MeanRank, "mean rank: by the mean of the detectors' ranks"),
        EnsembleRule::MeanRank => (EnsembleRule::Average, "average: by the mean of the detectors' scores"),
        EnsembleRule::Average => (EnsembleRule::Consensus, "consensus: by the detectors that agree most"),
        EnsembleRule::Consensus => (EnsembleRule::Stacking, "stacking: by what your decisions taught"),
        EnsembleRule::Stacking => {
            (EnsembleRule::Recall, "recall: wider thresholds, the worst detector decides")
        }
        EnsembleRule::Recall => {
            (EnsembleRule::Precision, "precision: what two detectors flag or one is sure of")
        }
        _ => (EnsembleRule::Or, "or: ranked by the worst detector"),
    };
    // Taken over at once, so that the next press goes on from here.
    session.ensemble = rule.clone();
    send(fx, Command::SetEnsemble { rule });
    say(model, Level::Info, text);
}

fn class(model: &mut Model, forward: bool, fx: &mut Effects) {
    if model.list.query.sort != Sort::Class {
        motion::sort(model, Sort::Class, fx);
        return say(model, Level::Info, "sorted by class: once more for the next class");
    }
    if let Some(row) = model.row() {
        let label = row.label;
        walk::start(model, Purpose::Class(label), forward, fx);
    }
}

fn clear_marks(model: &mut Model) {
    if model.visual.take().is_some() || model.walk.take().is_some() {
        return;
    }
    model.marks.clear();
    model.toast = None;
    model.search.clear();
    model.zoom = false;
}

fn copy(model: &mut Model, fx: &mut Effects) {
    let Some(row) = model.row() else { return };
    let path =
        model.details.get(row.sample).map_or_else(|| row.path.clone(), |detail| detail.full_path.clone());
    say(model, Level::Info, format!("copied {path}"));
    fx.push(Effect::Copy(path));
}

/// Cancels the innermost thing; with nothing to cancel, twice in a row quits.
fn cancel(model: &mut Model, fx: &mut Effects) {
    if model.now < model.interrupt_until {
        // The second time nothing is waited for any longer than a moment.
        return quit(model, 1_000, fx);
    }
    model.interrupt_until = model.now + 1_500;
    let busy = model.visual.is_some() || model.walk.is_some() || !model.marks.is_empty() || model.zoom;
    clear_marks(model);
    let text = if busy { "cancelled; once more quits" } else { "once more quits" };
    say(model, Level::Info, text);
}

/// Quits once everything is saved, or when waiting for it has lasted too long.
pub(super) fn quit(model: &mut Model, wait: u64, fx: &mut Effects) {
    engine::remember(model, fx);
    let open = model.journal.outstanding.len();
    if open == 0 {
        fx.push(Effect::Quit(0));
    } else {
        let until = model.now + wait;
        model.quitting = Some(model.quitting.map_or(until, |earlier| earlier.min(until)));
        say(model, Level::Info, format!("saving {open}…"));
    }
}
