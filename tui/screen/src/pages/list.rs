//! The list with the sample under the cursor beside it.

use crate::action::Action;
use crate::effect::Effects;
use crate::model::{Model, Page, Shot, slot};
use crate::paint::Paint;
use crate::picture::Quality;
use crate::theme::Role;
use crate::update::{motion, part, pictures, show};
use crate::view::{list, picture, sample};
use ratatui::layout::{Position, Rect};

/// The list.
pub(super) struct List;

impl Page for List {
    fn name(&self) -> &'static str {
        "list"
    }

    fn is_base(&self) -> bool {
        true
    }

    fn is_over_the_list(&self) -> bool {
        true
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        use Action as A;
        if model.list.total == 0 {
            return vec![
                A::Scan,
                A::ToggleAll,
                A::Filter,
                A::ClearFilter,
                A::Jobs,
                A::Help,
                A::Palette,
                A::Back,
            ];
        }
        if model.views.look.zoom {
            return vec![
                A::Keep,
                A::Remove,
                A::Relabel,
                A::Unsure,
                A::ActualSize,
                A::Larger,
                A::Help,
                A::Back,
                A::Undo,
                A::Zoom,
                A::Smaller,
                A::AcceptSuggestion,
            ];
        }
        // The same for every sample; what a group needs besides is shown next to it.
        vec![
            A::Keep,
            A::Remove,
            A::Relabel,
            A::AcceptSuggestion,
            A::Unsure,
            A::Help,
            A::Undo,
            A::Filter,
            A::Mark,
            A::Search,
            A::ToggleAll,
            A::Jobs,
            A::Palette,
            A::Back,
        ]
    }

    fn meaning(&self, model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
        let look = &model.views.look;
        if look.part.is_some()
            && let Some(meaning) = part::meaning(action)
        {
            return Some(meaning);
        }
        let zoomed = look.zoom && action == Action::Zoom;
        zoomed.then_some(("small", "Show the picture small again, beside the list"))
    }

    fn draw(&self, model: &Model, _area: Rect, paint: &mut Paint<'_>) -> Option<Position> {
        let layout = model.layout();
        list::heads(model, layout.heads, paint);
        list::list(model, layout.list, paint);
        let glyph = model.display.theme.glyph(Role::Border).to_owned();
        for y in layout.divider.top()..layout.divider.bottom() {
            paint.put(layout.divider.x, y, 1, Role::Border, &glyph);
        }
        picture::main(model, &layout, paint);
        picture::strip(model, &layout, paint);
        sample::info(model, &layout, paint);
        None
    }

    fn open(&self, model: &mut Model, _action: Action, _fx: &mut Effects) {
        show::show(model, &List);
    }

    fn act(&self, model: &mut Model, action: Action, fx: &mut Effects) -> bool {
        use Action as A;
        match action {
            A::Zoom if model.views.look.part.take().is_some() => model.views.look.zoom = false,
            A::Zoom => {
                model.views.look.zoom = !model.views.look.zoom;
                let height = motion::page(model);
                model.list.reveal(height);
            }
            A::ActualSize => {
                if model.views.look.part.take().is_none() {
                    model.views.look.zoom = true;
                    part::begin(model);
                }
            }
            A::Larger | A::Smaller => part::magnify(model, action == A::Larger, fx),
            _ => return part::pan(model, action),
        }
        true
    }

    fn click(&self, model: &mut Model, x: u16, y: u16) {
        let list = model.layout().list;
        if list.contains((x, y).into()) {
            let row = model.list.top + u64::from(y - list.y);
            if row < model.list.total {
                motion::go(model, row);
            }
            return;
        }
        let layout = model.layout();
        if let Some(digit) = sample::candidate_at(model, &layout, x, y) {
            model.next = Action::ALL.iter().copied().find(|action| action.candidate() == Some(digit - 1));
        } else if let Some(index) = (0..layout.thumbs).find(|index| {
            let thumb = layout.thumb(*index);
            Rect { height: thumb.height + 1, ..thumb }.contains((x, y).into())
        }) {
            // The first click chooses one of the pictures, the second goes to it.
            let index = usize::from(index);
            match model.views.look.chosen == Some(index) {
                true => model.next = Some(Action::GoToOther),
                false => model.views.look.chosen = Some(index).filter(|index| *index < model.besides().len()),
            }
        }
    }

    /// The picture under the cursor and the strip of those beside it.
    fn shots(&self, model: &Model) -> Vec<Shot> {
        let layout = model.layout();
        let Some(sample) = model.sample() else { return Vec::new() };
        let main = layout.picture;
        let mut shots =
            vec![Shot { slot: slot::MAIN, key: model.main_key(sample, main.as_size()), area: main }];
        for (index, neighbor) in model.strip(&layout, sample).into_iter().enumerate() {
            let area = layout.thumb(index as u16);
            shots.push(Shot {
                slot: slot::NEIGHBOR + index as u32,
                key: (neighbor, area.as_size()).into(),
                area,
            });
        }
        shots
    }

    fn pictures(&self, model: &mut Model, fx: &mut Effects) -> bool {
        let shots = self.shots(model);
        let [main, strip @ ..] = shots.as_slice() else { return true };
        let next = model.list.rows.get(model.list.cursor + 1).map(|row| row.sample);
        let ahead = next.map(|next| (slot::AHEAD, model.main_key(next, main.area.as_size())));
        // Only when the picture under the cursor is there: the next one, and the neighbors.
        if pictures::ask(model, main.slot, main.key, fx) {
            if let Some((slot, key)) = ahead {
                pictures::ask(model, slot, key, fx);
            }
            for shot in strip {
                pictures::ask(model, shot.slot, shot.key, fx);
            }
        }
        // The next better form of one: first the picture under the cursor, then, while no key is pressed, those beside
        // it and the next one.
        let best = match (model.resting(), model.views.look.zoom) {
            (false, _) if !model.pausing() => Quality::Half,
            (true, true) => Quality::Exact,
            _ => Quality::Full,
        };
        let mut wanted = vec![(main.slot, main.key, best)];
        if model.resting() {
            wanted.extend(strip.iter().map(|shot| (shot.slot, shot.key, Quality::Full)));
            wanted.extend(ahead.map(|(slot, key)| (slot, key, Quality::Full)));
        }
        pictures::climb(model, wanted, fx);
        true
    }

    fn pan_area(&self, model: &Model) -> Option<(u32, u32)> {
        model.views.look.zoom.then(|| model.pixels(model.layout().picture.as_size()))
    }

    fn cursor_cell(&self, model: &Model) -> Position {
        let list = model.layout().list;
        let row = model.list.cursor.saturating_sub(model.list.top).min(u64::from(list.height));
        Position { x: list.x, y: list.y + row as u16 }
    }
}
