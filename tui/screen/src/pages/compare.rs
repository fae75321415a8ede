//! Two samples side by side, or alternating in one spot.

use super::clusters;
use crate::action::Action;
use crate::effect::Effects;
use crate::key::shown;
use crate::model::{Beside, Level, Model, Page, Screen, Shot, slot};
use crate::paint::Paint;
use crate::text;
use crate::theme::Role;
use crate::update::{beside, part, say, show};
use crate::view::cells::shot;
use crate::view::list::decision_role;
use crate::view::{picture, sample, short};
use chaffinch_protocol::Detail;
use chaffinch_protocol::sample::SampleId;
use ratatui::layout::{Position, Rect};

/// The comparison.
pub(super) struct Compare;

impl Page for Compare {
    fn name(&self) -> &'static str {
        "compare"
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Compare, Action::Blink, Action::GoToOther]
    }

    fn needs_pictures(&self, action: Action) -> bool {
        action != Action::GoToOther
    }

    fn is_over_the_list(&self) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        use Action as A;
        vec![
            A::Keep,
            A::Remove,
            A::Right,
            A::Blink,
            A::Zoom,
            A::GoToOther,
            A::Help,
            A::Back,
            A::Larger,
            A::Overlay,
            A::Relabel,
            A::Undo,
        ]
    }

    fn meaning(&self, model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        Some(match action {
            _ if model.views.look.part.is_some() => return part::meaning(action),
            Action::Left => ("previous other", "Compare with the previous sample beside this one"),
            Action::Right => ("next other", "Compare with the next sample beside this one"),
            Action::Zoom => ("pixels", "Show the same part of both pictures at actual size"),
            Action::Larger => ("larger", "Zoom in on the same part of both pictures"),
            _ => return None,
        })
    }

    fn draw(&self, model: &Model, _area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let [this, other] = panes(model);
        for one in self.visible(model) {
            shot(model, &one, paint);
        }
        let beside = model.beside();
        let blink = model.views.compare.blink;
        if blink.is_none() {
            let glyph = paint.theme.glyph(Role::Border).to_owned();
            let whole = Screen::whole(model.display.size);
            for y in whole.top()..whole.bottom() {
                paint.put(this.caption.right(), y, 1, Role::Border, &glyph);
            }
            if beside.is_none() {
                picture::note(other.picture, Role::Dim, "nothing to compare with yet", paint);
            }
        }
        if blink != Some(true) {
            about_this(model, this.caption, paint);
        }
        if blink != Some(false)
            && let Some(beside) = beside
        {
            about_other(model, &beside, other.caption, paint);
        }
        None
    }

    fn open(&self, model: &mut Model, action: Action, fx: &mut Effects) {
        let here = show::is_open(model, self);
        match action {
            Action::GoToOther => go_to_other(model, fx),
            Action::Blink if here => {
                // First this one, whose place is known, then the other.
                let blink = &mut model.views.compare.blink;
                *blink = Some(blink.is_some_and(|other| !other));
            }
            Action::Blink => begin(model, Some(false)),
            // From one place for both to two places.
            _ if model.views.compare.blink.take().is_some() && here => {}
            _ if here => show::close(model),
            _ => begin(model, None),
        }
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        match action {
            // A key acts on what the eye sees, and that is the other one.
            _ if (action.decides() || matches!(action, A::Relabel | A::Note | A::Tag))
                && !matches!(action, A::Undo | A::Redo)
                && model.views.compare.blink == Some(true) =>
            {
                let key = model.keymap.key_for(A::Blink).map(shown).unwrap_or_default();
                let text = format!("the other picture is shown: {key} returns to the one that is decided");
                say(model, Level::Warning, text);
            }
            A::Zoom | A::ActualSize => {
                if model.views.look.part.take().is_none() {
                    part::begin(model);
                }
            }
            A::Larger | A::Smaller => part::magnify(model, action == A::Larger, fx),
            _ if part::pan(model, action) => {}
            A::Left | A::Right => beside::choose(model, action == A::Right, true),
            _ => return false,
        }
        true
    }

    /// Asks for the medoids that the sample under the cursor can be compared with.
    fn request(&self, model: &mut Model, fx: &mut Effects) {
        if let Some((sample, Some(class))) = model.row().map(|row| (row.sample, row.label)) {
            clusters::ask_for(model, class, Some(sample), fx);
        }
    }

    fn compared(&self, model: &Model) -> Option<SampleId> {
        model.beside().map(|beside| beside.sample)
    }

    /// A different sample under the cursor restarts the comparison.
    fn settle(&self, model: &mut Model, moved: bool) {
        if let Some(other) = &mut model.views.compare.blink
            && moved
        {
            *other = false;
        }
    }

    /// Both pictures, shown or not, so that switching is quick.
    fn shots(&self, model: &Model) -> Vec<Shot> {
        let [this, other] = panes(model);
        let shot =
            |slot, sample, area: Rect| Shot { slot, key: model.main_key(sample, area.as_size()), area };
        let this = model.sample().map(|sample| shot(slot::MAIN, sample, this.picture));
        let other = self.compared(model).map(|sample| shot(slot::OTHER, sample, other.picture));
        [this, other].into_iter().flatten().collect()
    }

    fn visible(&self, model: &Model) -> Vec<Shot> {
        let mut shots = self.shots(model);
        if let Some(other) = model.views.compare.blink {
            let wanted = if other { slot::OTHER } else { slot::MAIN };
            shots.retain(|shot| shot.slot == wanted);
            // One spot on the screen: the current picture stays until the other one can be shown.
            shots.iter_mut().for_each(|shot| shot.slot = slot::MAIN);
        }
        shots
    }

    fn pan_area(&self, model: &Model) -> Option<(u32, u32)> {
        let (across, down) = model.pixels(Screen::whole(model.display.size).as_size());
        let across = if model.views.compare.blink.is_some() { across } else { across / 2 };
        Some((across, down))
    }
}

fn begin(model: &mut Model, blink: Option<bool>) {
    if model.sample().is_none() {
        return say(model, Level::Warning, "no sample is loaded yet");
    }
    if !model.views.page.is_over_the_list() {
        return say(model, Level::Warning, "close this page to compare samples");
    }
    show::show(model, &Compare);
    model.views.compare.blink = blink;
}

fn go_to_other(model: &mut Model, fx: &mut Effects) {
    let over_the_list = model.views.page.is_over_the_list();
    let other = if over_the_list { model.beside().map(|beside| beside.sample) } else { model.sample() };
    let Some(other) = other else {
        return say(model, Level::Warning, "there is no sample to compare with");
    };
    show::leave_to(model, other, fx);
}

/// Where one sample is shown.
struct Pane {
    picture: Rect,
    caption: Rect,
}

/// Lines of path, labels and facts.
const FACTS: u16 = 4;

/// Lines below a picture.
fn lines(model: &Model) -> u16 {
    match (model.views.look.bare, model.display.size.height) {
        (true, _) => 1,
        (_, 0..16) => 2,
        (_, 16..20) => 3,
        (_, 20..30) => 4,
        // With the likeliest classes.
        _ => 8,
    }
}

/// This sample's pane and the other's; the same if they alternate.
fn panes(model: &Model) -> [Pane; 2] {
    let whole = Screen::whole(model.display.size);
    let pane = |x: u16, width: u16| {
        let lines = lines(model).min(whole.height);
        let area = Rect { x, width, ..whole };
        let picture = Rect { height: whole.height - lines, ..area };
        Pane { picture, caption: Rect { y: picture.bottom(), height: lines, ..area } }
    };
    match model.views.compare.blink {
        Some(_) => [pane(whole.x, whole.width), pane(whole.x, whole.width)],
        None => {
            let half = whole.width.saturating_sub(1) / 2;
            [pane(whole.x, half), pane(whole.x + half + 1, half)]
        }
    }
}

fn line(area: Rect, at: u16) -> Rect {
    Rect { x: area.x + 1, y: area.y + at, width: area.width.saturating_sub(2), height: 1 }
}

fn about_this(model: &Model, area: Rect, paint: &mut Paint<'_>) {
    let Some(row) = model.row() else { return };
    let mut head = vec![(Role::Title, "this".to_owned())];
    if let Some(part) = model.views.look.part {
        head.push((Role::Dim, format!("  {}:1", part.magnify)));
    }
    if model.views.look.bare {
        return pieces(line(area, 0), &head, paint);
    }
    head.push((Role::Dim, format!("  {}", text::fit_middle(&row.path, usize::from(area.width) - 8))));
    pieces(line(area, 0), &head, paint);
    pieces(line(area, 1), &sample::labels(model, row, line(area, 1).width), paint);
    let detail = model.details.get(row.sample);
    facts(model, None, detail, area, paint);
    classes(model, detail, area, paint);
}

fn about_other(model: &Model, beside: &Beside, area: Rect, paint: &mut Paint<'_>) {
    let all = model.besides();
    let position = all.iter().position(|other| other.sample == beside.sample).unwrap_or(0) + 1;
    let mut head = vec![(Role::Title, "other".to_owned()), (Role::Dim, format!(" {position}/{}", all.len()))];
    if model.views.look.bare {
        return pieces(line(area, 0), &head, paint);
    }
    head.push((Role::Key, format!(" {}", beside.kind)));
    let used: usize = head.iter().map(|(_, words)| text::width(words)).sum();
    let room = usize::from(area.width).saturating_sub(used + 4);
    head.push((Role::Dim, format!("  {}", text::fit_middle(&beside.path, room))));
    pieces(line(area, 0), &head, paint);
    let detail = model.details.get(beside.sample);
    let labels = match detail {
        Some(detail) => sample::labels(model, &detail.row, area.width.saturating_sub(20)),
        None => vec![(Role::Given, model.class(beside.label).unwrap_or("no label").to_owned())],
    };
    let same = model.row().is_some_and(|row| row.label == beside.label);
    let mut labels = labels;
    labels.push(if same {
        (Role::Dim, "   same label".to_owned())
    } else {
        (Role::Suggested, "   different label".to_owned())
    });
    pieces(line(area, 1), &labels, paint);
    facts(model, beside.similarity, detail, area, paint);
    classes(model, detail, area, paint);
}

/// Likeness, score, split and size: in one line where they fit, else in two if there is room for two.
fn facts(model: &Model, similarity: Option<f32>, detail: Option<&Detail>, area: Rect, paint: &mut Paint<'_>) {
    if area.height < 3 {
        return;
    }
    let mut judged = Vec::new();
    if let Some(similarity) = similarity {
        judged.push((Role::Text, format!("similar {similarity:.3}  ")));
    }
    let Some(detail) = detail else { return pieces(line(area, 2), &judged, paint) };
    let role = decision_role(model.choice(&detail.row));
    judged.push((role, format!("{} ", model.display.theme.glyph(role))));
    judged.push((Role::Dim, format!("score {}", text::score(detail.row.score))));
    if detail.row.split.name() != "" {
        judged.push((Role::Dim, format!("  {}", detail.row.split)));
    }
    // Sizes are what copies are compared by.
    let size = format!("{}×{} {}", detail.width, detail.height, text::bytes(detail.bytes));
    let (first, second) = (line(area, 2), line(area, 3));
    if area.height > 3 {
        pieces(first, &judged, paint);
        pieces(second, &[(Role::Text, size)], paint);
    } else {
        let one = [vec![(Role::Text, format!("{size}  "))], judged].concat();
        pieces(first, &one, paint);
    }
}

/// The likeliest classes as bars, if there is room.
fn classes(model: &Model, detail: Option<&Detail>, area: Rect, paint: &mut Paint<'_>) {
    let Some(detail) = detail else { return };
    for (at, candidate) in (FACTS..area.height).zip(&detail.candidates) {
        // Digits apply to this sample only.
        let this = Some(detail.row.sample) == model.sample();
        let number = if this { usize::from(at - FACTS) + 1 } else { 0 };
        let row = line(area, at);
        let row = Rect { width: row.width.min(44), ..row };
        short::candidate(model, number, *candidate, row, paint);
    }
}

fn pieces(area: Rect, pieces: &[(Role, String)], paint: &mut Paint<'_>) {
    let pieces: Vec<(Role, &str)> = pieces.iter().map(|(role, words)| (*role, words.as_str())).collect();
    paint.pieces(area, &pieces);
}
