//! Nothing is conveyed by color alone, and what color conveys is visible to everyone: checked on the themes and on
//! finished screens, without color and as people with each kind of color blindness see them.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::theme::{Depth, Role, Theme};
use crate::update::Msg;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier, Style};

/// Roles that must be distinguishable, because they are states of the same thing.
const STATES: [&[Role]; 7] = [
    &[Role::Keep, Role::Remove, Role::Relabel, Role::Unsure, Role::Undecided],
    &[Role::Saving, Role::Saved],
    &[Role::Severe, Role::Doubtful, Role::Fine],
    &[Role::Given, Role::Suggested],
    &[Role::BarFull, Role::BarEmpty, Role::Threshold],
    &[Role::Flagged, Role::Unflagged],
    &[Role::HeatLow, Role::HeatMiddle, Role::HeatHigh],
];

/// How colors reach the brain.
const EYES: [(&str, Option<[[f64; 3]; 3]>); 4] = [
    ("all three cones", None),
    // Machado, Oliveira and Fernandes, A physiologically-based model for simulation of color vision deficiency (IEEE
    // TVCG 2009), severity 1, on linear light.
    (
        "protanopia",
        Some([
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]),
    ),
    (
        "deuteranopia",
        Some([
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]),
    ),
    (
        "tritanopia",
        Some([
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]),
    ),
];

/// Linear light of a color as these eyes see it.
fn seen(color: (u8, u8, u8), eye: Option<[[f64; 3]; 3]>) -> [f64; 3] {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let rgb = [linear(color.0), linear(color.1), linear(color.2)];
    match eye {
        None => rgb,
        Some(matrix) => {
            matrix.map(|row| row.iter().zip(rgb).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0))
        }
    }
}

/// WCAG 2 contrast ratio.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |c: [f64; 3]| 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Distance in CIE L*a*b* (1976), D65: about 2 is just seen, 10 at a glance.
fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let lab = |c: [f64; 3]| {
        let x = (0.4124 * c[0] + 0.3576 * c[1] + 0.1805 * c[2]) / 0.95047;
        let y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
        let z = (0.0193 * c[0] + 0.1192 * c[1] + 0.9505 * c[2]) / 1.08883;
        let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        [116.0 * f(y) - 16.0, 500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z))]
    };
    let (a, b) = (lab(a), lab(b));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// The theme's own ground: what it sets, else what terminals of its kind have.
fn ground(name: &str, theme: &Theme) -> (u8, u8, u8) {
    let usual = if name == "light" { (255, 255, 255) } else { (0, 0, 0) };
    rgb(theme.style(Role::Text).bg).unwrap_or(usual)
}

fn ink(name: &str, theme: &Theme, style: Style) -> (u8, u8, u8) {
    let usual = if name == "light" { (0, 0, 0) } else { (229, 229, 229) };
    rgb(style.fg).or(rgb(theme.style(Role::Text).fg)).unwrap_or(usual)
}

fn rgb(color: Option<Color>) -> Option<(u8, u8, u8)> {
    match color? {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        _ => None,
    }
}

fn colored() -> impl Iterator<Item = (&'static str, Theme)> {
    let names = Theme::builtin_names().into_iter().filter(|name| *name != "mono");
    names.map(|name| (name, Theme::load(name, Depth::True).unwrap()))
}

#[test]
fn states_differ_without_color() {
    for name in Theme::builtin_names() {
        let theme = Theme::load(name, Depth::Mono).unwrap();
        for group in STATES {
            for (place, role) in group.iter().enumerate() {
                for other in &group[..place] {
                    let look = |role: &Role| (theme.glyph(*role).to_owned(), theme.style(*role).add_modifier);
                    assert_ne!(look(role), look(other), "{name}: {} and {}", role.name(), other.name());
                }
            }
        }
    }
}

#[test]
fn states_differ_for_every_eye() {
    for (name, theme) in colored() {
        for (eye, matrix) in EYES {
            for group in STATES {
                for (place, role) in group.iter().enumerate() {
                    for other in &group[..place] {
                        let shape =
                            |role: &Role| (theme.glyph(*role).to_owned(), theme.style(*role).add_modifier);
                        let light = |role: &Role| seen(ink(name, &theme, theme.style(*role)), matrix);
                        let apart =
                            shape(role) != shape(other) || distance(light(role), light(other)) >= 10.0;
                        assert!(apart, "{name}, {eye}: {} and {}", role.name(), other.name());
                    }
                }
            }
        }
    }
}

#[test]
fn themes_for_an_eye_keep_decisions_apart_by_color_too() {
    for name in ["deuteranopia", "protanopia", "tritanopia"] {
        let theme = Theme::load(name, Depth::True).unwrap();
        let matrix = EYES.iter().find(|(eye, _)| *eye == name).unwrap().1;
        let roles = [Role::Keep, Role::Remove, Role::Relabel, Role::Unsure];
        for (place, role) in roles.iter().enumerate() {
            for other in &roles[..place] {
                let light = |role: &Role| seen(ink(name, &theme, theme.style(*role)), matrix);
                let apart = distance(light(role), light(other));
                assert!(apart >= 15.0, "{name}: {} and {} are {apart:.1} apart", role.name(), other.name());
            }
        }
    }
}

#[test]
fn text_has_contrast_for_every_eye() {
    // Lines and empty parts of bars carry nothing; everything else is to be read.
    let quiet = [Role::Border, Role::BarEmpty];
    for (name, theme) in colored() {
        for (eye, matrix) in EYES {
            for role in Role::ALL.iter().filter(|role| !quiet.contains(role)) {
                let style = theme.style(*role);
                let below = rgb(style.bg).unwrap_or_else(|| ground(name, &theme));
                let ratio = contrast(seen(ink(name, &theme, style), matrix), seen(below, matrix));
                // 4.5 is what WCAG 2 asks of text (AA), 7 of text for weak sight (AAA). Ordinary themes may have
                // text that matters less below that, as long as it can be read.
                let least = match (name, role) {
                    ("high-contrast", _) => 7.0,
                    ("dark" | "light", Role::Undecided | Role::Dim | Role::Fine) => 3.0,
                    _ => 4.5,
                };
                assert!(ratio >= least, "{name}, {eye}: {} has a contrast of {ratio:.2}", role.name());
            }
        }
    }
}

#[test]
fn every_role_is_read_wherever_it_is_drawn() {
    let quiet = [Role::Border, Role::BarEmpty];
    for (name, theme) in colored() {
        for below in [Role::Bar, Role::Popup, Role::Text] {
            for role in Role::ALL.iter().filter(|role| !quiet.contains(role)) {
                let style = theme.over(below, *role);
                let ground = rgb(style.bg).unwrap_or_else(|| ground(name, &theme));
                let ratio = contrast(seen(ink(name, &theme, style), None), seen(ground, None));
                let place = below.name();
                assert!(ratio >= 2.8, "{name}: {} on {place} has a contrast of {ratio:.2}", role.name());
            }
        }
    }
}

#[test]
fn the_heading_and_the_keys_are_read_in_every_theme() {
    for (name, theme) in colored() {
        let mut rig = Rig::new(FakeEngine::new(112), 100, 30);
        rig.model.display.theme = theme.clone();
        let buffer = rig.buffer();
        for y in [0, 29] {
            for x in 0..100 {
                let cell = &buffer[(x, y)];
                if cell.symbol().trim().is_empty() {
                    continue;
                }
                let style = Style::new().fg(cell.fg).bg(cell.bg);
                let below = rgb(style.bg).unwrap_or_else(|| ground(name, &theme));
                let ratio = contrast(seen(ink(name, &theme, style), None), seen(below, None));
                assert!(ratio >= 4.5, "{name}: '{}' in row {y} has a contrast of {ratio:.2}", cell.symbol());
            }
        }
    }
}

#[test]
fn the_theme_follows_the_background_unless_it_was_chosen() {
    let themes = || -> Vec<(String, Theme)> {
        let names = Theme::builtin_names().into_iter();
        names.map(|name| (name.to_owned(), Theme::load(name, Depth::True).unwrap())).collect()
    };
    let mut rig = Rig::new(FakeEngine::new(12), 80, 24);
    (rig.model.display.themes, rig.model.display.theme_name) = (themes(), "auto".to_owned());
    rig.send(Msg::Ground([255, 255, 255]));
    assert_eq!(rig.model.display.theme, Theme::load("light", Depth::True).unwrap());
    rig.send(Msg::Ground([20, 20, 30]));
    assert_eq!(rig.model.display.theme, Theme::load("dark", Depth::True).unwrap());
    // One that was chosen stays, and can be read on any background.
    for (name, theme) in themes().into_iter().filter(|(name, _)| name != "mono") {
        // White, black, gray, and the grounds of themes that many terminals have.
        let grounds = [[255; 3], [0; 3], [128; 3], [0x2e, 0x34, 0x40], [0, 0x2b, 0x36], [0xfd, 0xf6, 0xe3]];
        for ground in grounds.map(Some).into_iter().chain([None]) {
            let dressed = theme.clone().on(ground);
            let text = dressed.style(Role::Text);
            let below = rgb(text.bg).or(ground.map(|[r, g, b]| (r, g, b)));
            let below = below.unwrap_or_else(|| panic!("{name} has no background of its own"));
            for role in [Role::Dim, Role::Keep, Role::Remove, Role::Relabel, Role::Unsure] {
                let Some(ink) = rgb(dressed.style(role).fg) else { continue };
                let ratio = contrast(seen(ink, None), seen(below, None));
                assert!(ratio >= 2.8, "{name} on {ground:?}: {} has {ratio:.2}", role.name());
            }
        }
    }
}

/// What remains of a cell without its color.
fn shape(cell: &Cell) -> (String, Modifier) {
    (cell.symbol().to_owned(), cell.modifier)
}

/// Whether two screens that differ also differ without color.
fn differ_in_shape(name: &str, prepare: &str, one: &str, other: &str) {
    let screen = |keys: &str, theme: &str, depth: Depth| {
        let mut rig = Rig::new(FakeEngine::new(112), 100, 30);
        rig.model.display.theme = Theme::load(theme, depth).unwrap();
        rig.model.display.pictures_on = false;
        for part in [prepare, keys] {
            if !part.is_empty() {
                rig.press(part);
            }
        }
        rig.model.toast = None;
        rig.buffer()
    };
    for theme in Theme::builtin_names() {
        for depth in [Depth::True, Depth::Mono] {
            let (a, b) = (screen(one, theme, depth), screen(other, theme, depth));
            let mut only_color = Vec::new();
            let mut differ = false;
            for (a, b) in a.content().iter().zip(b.content()) {
                differ |= shape(a) != shape(b);
                if shape(a) == shape(b) && a != b && !a.symbol().trim().is_empty() {
                    only_color.push(a.symbol().to_owned());
                }
            }
            assert!(differ, "{name} in {theme}: the screens differ in color alone: {only_color:?}");
        }
    }
}

#[test]
fn every_state_of_a_row_is_seen_without_color() {
    for (one, other) in [("a", "x"), ("a", "s"), ("x", "s"), ("rhorse<Enter>", "a"), ("a", "")] {
        // The counts above and below change as well, so only the row is looked at: the cursor goes elsewhere.
        differ_in_shape("a decision", "ga", one, other);
    }
    differ_in_shape("a mark", "", "<Space>k", "");
    differ_in_shape("a range", "", "vj", "j");
    differ_in_shape("the cursor", "", "j", "");
    differ_in_shape("a chosen detector", "j", "d", "");
    differ_in_shape("a cell of the matrix", "M", "j", "");
    differ_in_shape("a changed value", "Pj", "l", "");
    differ_in_shape("a threshold", "H", "<PageUp>", "");
}

#[test]
fn without_color_no_cell_has_one() {
    for theme in Theme::builtin_names() {
        let mut rig = Rig::new(FakeEngine::new(112), 80, 24);
        rig.model.display.theme = Theme::load(theme, Depth::Mono).unwrap();
        rig.model.display.pictures_on = false;
        for keys in ["xa1s", "H", "qM", "qP", "qI", "qL", "qw", "q?"] {
            rig.press(keys);
            let plain = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
            assert!(rig.buffer().content().iter().all(plain), "{theme} after {keys}");
        }
    }
}
