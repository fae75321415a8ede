//! One group of copies, with the best member first and the rule that makes it the best.

use super::grid::gutter;
use crate::model::{Cells, Model, Screen, Shot};
use crate::text;
use crate::theme::Role;
use crate::view::paint::Paint;
use crate::view::picture;
use chaffinch_protocol::GroupMember;
use ratatui::layout::Rect;

/// Lines above the pictures.
const HEAD: u16 = 2;

/// The cells of the group that is shown.
pub(super) fn cells(model: &Model) -> Option<Cells> {
    let group = model.views.groups.shown.as_ref()?;
    let body = Screen::of(model.size).body;
    let area = Rect { y: body.y + HEAD, height: body.height.checked_sub(HEAD)?, ..body };
    // At most a window of members is held.
    let count = group.samples.len().min(48);
    Some(Cells::fitting(area, count, if model.views.bare { 1 } else { 2 }))
}

/// Members on the screen: their cell, their place among all, and what is held of them.
fn members(model: &Model) -> Vec<(usize, usize, &GroupMember)> {
    let (Some(cells), Some(group)) = (cells(model), &model.views.groups.shown) else { return Vec::new() };
    let count = cells.count().max(1);
    let first = model.views.groups.cursor / count * count;
    let held = |cell: usize| {
        let place = first + cell;
        let member = group.members.get(place.checked_sub(group.start as usize)?)?;
        Some((cell, place, member))
    };
    (0..count).filter_map(held).collect()
}

pub(super) fn shots(model: &Model) -> Vec<Shot> {
    let Some(cells) = cells(model) else { return Vec::new() };
    let members = members(model).into_iter();
    members.map(|(cell, _, member)| Shot::in_cell(cell, member.row.sample, cells.picture(cell))).collect()
}

pub(super) fn draw(model: &Model, paint: &mut Paint<'_>) {
    let body = Screen::of(model.size).body;
    let groups = &model.views.groups;
    let (Some(group), Some(cells)) = (&groups.shown, cells(model)) else {
        let words = match groups.total {
            Some(0) if groups.leaks => "no group reaches across splits",
            Some(0) => "no detector flags a group of copies",
            _ => "reading the groups…",
        };
        return picture::note(body, Role::Dim, words, paint);
    };
    let total = groups.total.unwrap_or(0);
    let mut head = vec![
        (Role::Title, format!("group {} of {}", text::count(group.place + 1), text::count(total))),
        (Role::Dim, format!(" · {} · ", group.detector)),
        (Role::Text, format!("{} pictures", text::count(group.samples.len() as u64))),
    ];
    if !group.leak.is_empty() {
        head.push((Role::Severe, format!(" · leak: {}", group.leak.join(", "))));
    }
    if groups.decided > 0 {
        head.push((Role::Dim, format!(" · {} groups decided", text::count(groups.decided))));
    }
    let line = Rect { x: body.x + 1, height: 1, width: body.width.saturating_sub(2), ..body };
    let pieces: Vec<(Role, &str)> = head.iter().map(|(role, words)| (*role, words.as_str())).collect();
    paint.pieces(line, &pieces);
    paint.put(line.x, line.y + 1, line.width, Role::Dim, &group.rule);
    for shot in shots(model) {
        super::shot(model, &shot, paint);
    }
    for (cell, place, member) in members(model) {
        let here = place == groups.cursor;
        let marked = model.marks.contains(&member.row.sample);
        gutter(model, &cells, cell, &member.row, (here, marked), paint);
        caption(model, cells.caption(cell), member, place == 0, paint);
        if here {
            let first = Rect { height: 1, ..cells.caption(cell) };
            paint.buffer.set_style(first, paint.style(Role::Cursor));
        }
    }
    super::info(model, paint);
}

fn caption(model: &Model, area: Rect, member: &GroupMember, best: bool, paint: &mut Paint<'_>) {
    let role = crate::view::list::decision_role(model.choice(&member.row));
    let mut x = paint.put(area.x, area.y, 1, role, model.theme.glyph(role)) + 1;
    let right = area.right().saturating_sub(1);
    let mut put =
        |x: u16, y: u16, role: Role, words: &str| paint.put(x, y, right.saturating_sub(x), role, words);
    if best {
        x = put(x, area.y, Role::Keep, "best ");
    }
    if area.height < 2 {
        return;
    }
    let size = format!("{}×{} {}", member.width, member.height, text::bytes(member.bytes));
    put(x, area.y, Role::Text, &size);
    let mut x = area.x;
    if member.row.split.name() != "" {
        x = put(x, area.y + 1, Role::Dim, &format!("{} ", member.row.split));
    }
    let label = model.class(member.row.label).unwrap_or("–").to_owned();
    x = put(x, area.y + 1, Role::Given, &label);
    if let Some(similarity) = member.similarity {
        x = put(x, area.y + 1, Role::Dim, &format!(" {similarity:.2}"));
    }
    let name = member.row.path.rsplit('/').next().unwrap_or_default();
    let room = usize::from(right.saturating_sub(x + 1));
    if room > 6 {
        put(x + 1, area.y + 1, Role::Dim, &text::fit_middle(name, room));
    }
}
