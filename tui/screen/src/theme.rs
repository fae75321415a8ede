//! Styles by meaning: a role has a color, an attribute and, if it represents a state, a glyph, so that every
//! state is distinguishable without color.

use self::indexed as indexed_color;
use anyhow::{Context, Result, bail};
use ratatui::style::{Color, Modifier, Style};
use std::borrow::Cow;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The color depth of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Depth {
    /// None: attributes and glyphs carry everything.
    Mono,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    #[default]
    True,
}

impl Depth {
    /// What the environment says. `NO_COLOR` wins, as its convention asks; terminals that name no colors get
    /// 256, which all but the oldest have.
    pub fn detect(get: impl Fn(&str) -> Option<String>) -> Depth {
        if get("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Depth::Mono;
        }
        let term = get("TERM").unwrap_or_default();
        if term.is_empty() || term == "dumb" || term.starts_with("vt") {
            return Depth::Mono;
        }
        let direct = ["direct", "kitty", "ghostty", "alacritty", "foot", "wezterm"];
        let colors = get("COLORTERM").unwrap_or_default();
        if colors == "truecolor" || colors == "24bit" || direct.iter().any(|name| term.contains(name)) {
            return Depth::True;
        }
        Depth::Indexed
    }
}

macro_rules! roles {
    ($($variant:ident $name:literal $glyph:literal $doc:literal,)*) => {
        /// The meaning of something on the screen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Role { $(#[doc = $doc] $variant,)* }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Role] = &[$(Role::$variant,)*];
            /// Its name in theme files.
            pub const fn name(self) -> &'static str { match self { $(Role::$variant => $name,)* } }
            const fn glyph(self) -> &'static str { match self { $(Role::$variant => $glyph,)* } }
        }
    };
}

roles! {
    Text "text" "" "Ordinary text.",
    Dim "dim" "" "Text that matters less.",
    Title "title" "" "Headings.",
    Border "border" "│" "Lines between parts.",
    Bar "bar" "" "The first and the last line.",
    Key "key" "" "A key to press.",
    Cursor "cursor" "▌" "The row the cursor is on.",
    Marked "marked" "◆" "A marked row.",
    Keep "keep" "✓" "Decided: keep.",
    Remove "remove" "✗" "Decided: remove.",
    Relabel "relabel" "→" "Decided: relabel.",
    Unsure "unsure" "?" "Decided: unsure.",
    Undecided "undecided" "·" "No decision.",
    Saving "saving" "…" "A decision that is not on disk yet.",
    Saved "saved" "●" "Everything is on disk.",
    Severe "severe" "" "A score that means: surely an issue.",
    Doubtful "doubtful" "" "A score below the threshold.",
    Fine "fine" "" "A score above the threshold.",
    Suggested "suggested" "" "A label that a detector suggests.",
    Given "given" "" "The label given in the dataset.",
    BarFull "bar-full" "█" "The full part of a bar.",
    BarEmpty "bar-empty" "░" "The empty part of a bar.",
    Threshold "threshold" "┃" "The threshold in a bar.",
    Popup "popup" "" "A window over the rest.",
    Selected "selected" "▸" "The selected line of a window.",
    Match "match" "" "What a search found.",
    Info "info" "" "A message.",
    Warning "warning" "!" "A message that needs attention.",
    Error "error" "✗" "Something went wrong.",
    Progress "progress" "█" "A running job.",
    Flagged "flagged" "█" "Scores below the threshold, in the histogram.",
    Unflagged "unflagged" "▒" "Scores above the threshold, in the histogram.",
    HeatLow "heat-low" "░" "A rare confusion.",
    HeatMiddle "heat-middle" "▒" "A fairly frequent confusion.",
    HeatHigh "heat-high" "▓" "A frequent confusion.",
    Edited "edited" "*" "A value that was changed but not applied yet.",
}

/// Styles and glyphs for every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    styles: Vec<Style>,
    glyphs: Vec<String>,
    ascii: bool,
}

/// The name that stands for a theme for the color behind the terminal's text: `dark` until that is known.
pub const AUTO: &str = "auto";

const BUILTIN: [(&str, &str); 7] = [
    ("dark", include_str!("../../../configs/themes/dark.toml")),
    ("light", include_str!("../../../configs/themes/light.toml")),
    ("high-contrast", include_str!("../../../configs/themes/high-contrast.toml")),
    ("deuteranopia", include_str!("../../../configs/themes/deuteranopia.toml")),
    ("protanopia", include_str!("../../../configs/themes/protanopia.toml")),
    ("tritanopia", include_str!("../../../configs/themes/tritanopia.toml")),
    ("mono", include_str!("../../../configs/themes/mono.toml")),
];

impl Theme {
    /// The names of the themes inside the program.
    pub fn builtin_names() -> Vec<&'static str> {
        BUILTIN.iter().map(|(name, _)| *name).collect()
    }

    /// A built-in theme by name, or one from a file, in as many colors as the terminal has.
    ///
    /// # Errors
    /// Names the file, the line and the closest valid name.
    pub fn load(name: &str, depth: Depth) -> Result<Theme> {
        let name = if matches!(name, "" | AUTO) { "dark" } else { name };
        // A background that is left out leaves nothing to see, so without color the built-in looks are one.
        let known = BUILTIN.iter().any(|(known, _)| *known == name);
        let name = if known && depth == Depth::Mono { "mono" } else { name };
        let builtin = BUILTIN.iter().find(|(known, _)| *known == name);
        let (text, file) = match builtin {
            Some((known, text)) => ((*text).to_owned(), format!("configs/themes/{known}.toml")),
            None if name.contains(['/', '.']) => {
                let text = std::fs::read_to_string(Path::new(name))
                    .with_context(|| format!("{name}: cannot read the theme"))?;
                (text, name.to_owned())
            }
            None => bail!("there is no theme '{name}': use {} or a file", Theme::builtin_names().join(", ")),
        };
        Theme::parse(&text, &file, depth)
    }

    /// Reads a theme.
    ///
    /// # Errors
    /// Names the file, the line and the closest valid name.
    pub fn parse(text: &str, file: &str, depth: Depth) -> Result<Theme> {
        let mut theme = Theme {
            styles: vec![Style::default(); Role::ALL.len()],
            glyphs: Role::ALL.iter().map(|role| role.glyph().to_owned()).collect(),
            ascii: false,
        };
        theme.overlay(text, file, depth)?;
        Ok(theme)
    }

    /// Applies a file over the current theme.
    ///
    /// # Errors
    /// As for [`Theme::parse`]; the theme is then partly changed and must not be used.
    pub fn overlay(&mut self, text: &str, file: &str, depth: Depth) -> Result<()> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            anyhow::anyhow!("{file}:{}: {}", line(at), error.message())
        })?;
        let theme = self;
        for (name, value) in table.get_ref().iter() {
            theme.set(name, value, &|at| format!("{file}:{}", line(at)), depth)?;
        }
        Ok(())
    }

    /// Like [`Theme::overlay`], but skips invalid entries. Returns what was skipped, each with file and
    /// line.
    ///
    /// # Errors
    /// If the file is not valid TOML.
    pub fn overlay_what_fits(&mut self, text: &str, file: &str, depth: Depth) -> Result<Vec<String>> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            anyhow::anyhow!("{file}:{}: {}", line(at), error.message())
        })?;
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut complaints = Vec::new();
        for (name, value) in entries {
            let mut changed = self.clone();
            match changed.set(name, value, &|at| format!("{file}:{}", line(at)), depth) {
                Ok(()) => *self = changed,
                Err(error) => complaints.push(format!("{error:#}")),
            }
        }
        Ok(complaints)
    }

    /// Sets one role.
    fn set(
        &mut self,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        location: &dyn Fn(usize) -> String,
        depth: Depth,
    ) -> Result<()> {
        let theme = self;
        let here = location(name.span().start);
        let Some(role) = Role::ALL.iter().find(|role| role.name() == name.get_ref().as_ref()) else {
            bail!(
                "{here}: there is no role '{}': did you mean '{}'?",
                name.get_ref(),
                nearest(name.get_ref())
            );
        };
        let DeValue::Table(look) = value.get_ref() else {
            bail!(
                "{here}: '{}' must be a table such as {{ fg = \"#aabbcc\", attr = \"bold\" }}",
                name.get_ref()
            );
        };
        let slot = *role as usize;
        for (field, value) in look.iter() {
            let here = location(field.span().start);
            let Some(value) = value.get_ref().as_str() else { bail!("{here}: expected a quoted string") };
            let style = &mut theme.styles[slot];
            match field.get_ref().as_ref() {
                "fg" => *style = apply(*style, value, depth, Style::fg).with_context(|| here.clone())?,
                "bg" => *style = apply(*style, value, depth, Style::bg).with_context(|| here.clone())?,
                "attr" => style.add_modifier |= attributes(value).with_context(|| here.clone())?,
                "glyph" if crate::text::width(value) == 1 => theme.glyphs[slot] = value.to_owned(),
                "glyph" => bail!("{here}: a glyph must be one character, one cell wide"),
                other => bail!("{here}: '{other}' is unknown: use fg, bg, attr or glyph"),
            }
        }
        Ok(())
    }

    /// The style of a role drawn over another. Where its color would not be read there, only its weight is left.
    pub fn over(&self, below: Role, role: Role) -> Style {
        let (base, top) = (self.style(below), self.style(role));
        let ground = base.bg.or(self.style(Role::Text).bg).and_then(channels);
        let unread = top.bg.is_none()
            && top
                .fg
                .and_then(channels)
                .zip(ground)
                .is_some_and(|(ink, ground)| contrast(ink, ground) < READABLE);
        if unread { base.add_modifier(top.add_modifier) } else { base.patch(top) }
    }

    /// Whether it is meant for a light background; none if it brings its own.
    pub fn for_light(&self) -> Option<bool> {
        if self.style(Role::Text).bg.is_some() {
            return None;
        }
        let inks = self.styles.iter().filter(|style| style.bg.is_none());
        let lights: Vec<f64> = inks.filter_map(|style| style.fg.and_then(channels)).map(luminance).collect();
        (!lights.is_empty()).then(|| lights.iter().sum::<f64>() / (lights.len() as f64) < 0.18)
    }

    /// The same with a background of its own, white or black, where the terminal's does not suit it or is not known.
    #[must_use]
    pub fn on(mut self, ground: Option<[u8; 3]>) -> Theme {
        let Some(light) = self.for_light() else { return self };
        if !ground.is_some_and(|ground| is_light(ground) == light && self.is_read_on(ground)) {
            let (ink, below) = if light { (0x1c, 0xff) } else { (0xe4, 0) };
            let indexed = self.styles.iter().any(|style| matches!(style.fg, Some(Color::Indexed(_))));
            let color =
                |v: u8| if indexed { Color::Indexed(indexed_color(v, v, v)) } else { Color::Rgb(v, v, v) };
            let text = &mut self.styles[Role::Text as usize];
            *text = Style { fg: text.fg.or(Some(color(ink))), bg: Some(color(below)), ..*text };
        }
        self
    }

    /// Whether what is to be read is read on a background.
    fn is_read_on(&self, ground: [u8; 3]) -> bool {
        use Role as R;
        let read = [
            R::Text,
            R::Dim,
            R::Key,
            R::Keep,
            R::Remove,
            R::Relabel,
            R::Unsure,
            R::Info,
            R::Warning,
            R::Error,
        ];
        let inks = read.into_iter().map(|role| self.style(role)).filter(|style| style.bg.is_none());
        inks.filter_map(|style| style.fg.and_then(channels)).all(|ink| contrast(ink, ground) >= LEGIBLE)
    }

    /// Whether the screen is to be made of ASCII alone.
    #[must_use]
    pub fn ascii(self, ascii: bool) -> Theme {
        Theme { ascii, ..self }
    }

    /// Whether the screen is made of ASCII alone.
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The glyph of a role.
    pub fn glyph(&self, role: Role) -> &str {
        &self.glyphs[role as usize]
    }
}

/// The least contrast of text: WCAG 2, level AA.
const READABLE: f64 = 4.5;
/// The least contrast on a background that the terminal has chosen.
const LEGIBLE: f64 = 2.8;

/// The channels of a color, where it is the same in every terminal.
pub fn channels(color: Color) -> Option<[u8; 3]> {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(n @ 16..=231) => {
            let n = usize::from(n - 16);
            Some([STEPS[n / 36], STEPS[n / 6 % 6], STEPS[n % 6]])
        }
        Color::Indexed(n @ 232..) => Some([8 + (n - 232) * 10; 3]),
        _ => None,
    }
}

/// Relative luminance by WCAG 2, from 0 for black to 1 for white.
fn luminance(color: [u8; 3]) -> f64 {
    let [r, g, b] = color.map(|channel| {
        let v = f64::from(channel) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The contrast ratio of two colors by WCAG 2, from 1 to 21.
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Whether black is read better on a color than white.
pub fn is_light(color: [u8; 3]) -> bool {
    contrast(color, [0; 3]) > contrast(color, [255; 3])
}

fn nearest(name: &str) -> &'static str {
    let best = Role::ALL.iter().max_by_key(|role| (strsim::jaro_winkler(role.name(), name) * 1e6) as i64);
    best.map_or("text", |role| role.name())
}

fn apply(style: Style, value: &str, depth: Depth, set: fn(Style, Color) -> Style) -> Result<Style> {
    let color: Color = match value.parse() {
        Ok(color) => color,
        Err(_) => {
            bail!("'{value}' is not a color: use #rrggbb, a number from 0 to 255 or a name such as red")
        }
    };
    Ok(match (depth, color) {
        (Depth::Mono, _) => style,
        (Depth::Indexed, Color::Rgb(r, g, b)) => set(style, Color::Indexed(indexed(r, g, b))),
        _ => set(style, color),
    })
}

fn attributes(value: &str) -> Result<Modifier> {
    let mut attributes = Modifier::empty();
    for word in value.split_whitespace() {
        attributes |= match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            _ => bail!("'{word}' is not an attribute: use bold, dim, italic, underline or reverse"),
        };
    }
    Ok(attributes)
}

/// The number of a color that is one of xterm's 256 exactly. The first ones of the cube are none: some people's
/// terminals have other colors there.
pub fn exact_index(r: u8, g: u8, b: u8) -> Option<u8> {
    const CHANGED: u8 = 21;
    let step = |v: u8| match v {
        0 => Some(0),
        95 | 135 | 175 | 215 | 255 => Some((v - 55) / 40),
        _ => None,
    };
    if let (Some(r), Some(g), Some(b)) = (step(r), step(g), step(b)) {
        return Some(16 + 36 * r + 6 * g + b).filter(|number| *number > CHANGED);
    }
    let gray = r == g && g == b && (8..=238).contains(&r) && (r - 8).is_multiple_of(10);
    gray.then(|| 232 + (r - 8) / 10)
}

/// The color of xterm's 256 that is nearest: of the cube, or of the grays.
pub fn indexed(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let step = |v: u8| (0..6).min_by_key(|&i| (STEPS[i] - i32::from(v)).abs()).unwrap_or(0);
    let distance = |x: [i32; 3]| {
        let d = [x[0] - i32::from(r), x[1] - i32::from(g), x[2] - i32::from(b)];
        d[0] * d[0] * 3 + d[1] * d[1] * 6 + d[2] * d[2]
    };
    let cube = [step(r), step(g), step(b)];
    let mean = (i32::from(r) + i32::from(g) + i32::from(b)) / 3;
    let gray = ((mean - 8 + 5) / 10).clamp(0, 23);
    let gray_value = 8 + gray * 10;
    if distance([gray_value; 3]) < distance(cube.map(|i| STEPS[i])) {
        (232 + gray) as u8
    } else {
        (16 + 36 * cube[0] + 6 * cube[1] + cube[2]) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_themes_are_sound() {
        for name in Theme::builtin_names() {
            for depth in [Depth::Mono, Depth::Indexed, Depth::True] {
                Theme::load(name, depth).unwrap();
            }
        }
    }

    #[test]
    fn without_color_every_decision_still_looks_different() {
        for name in Theme::builtin_names() {
            let theme = Theme::load(name, Depth::Mono).unwrap();
            let roles =
                [Role::Keep, Role::Remove, Role::Relabel, Role::Unsure, Role::Undecided, Role::Saving];
            for (index, role) in roles.iter().enumerate() {
                assert!(!theme.glyph(*role).is_empty());
                assert!(roles[..index].iter().all(|other| theme.glyph(*other) != theme.glyph(*role)));
                assert_eq!(theme.style(*role).fg, None);
                assert_eq!(theme.style(*role).bg, None);
            }
            for role in [Role::Cursor, Role::Selected] {
                assert!(!theme.style(role).add_modifier.is_empty() || !theme.glyph(role).is_empty());
            }
        }
    }

    #[test]
    fn errors_name_line_and_meaning() {
        let error = |text: &str| format!("{:#}", Theme::parse(text, "t.toml", Depth::True).unwrap_err());
        assert_eq!(
            error("\nkep = { fg = \"red\" }"),
            "t.toml:2: there is no role 'kep': did you mean 'keep'?"
        );
        assert!(error("keep = { fg = \"reddish\" }").starts_with("t.toml:1: 'reddish' is not a color"));
        assert!(error("keep = { glyph = \"ab\" }").contains("one character"));
        assert!(error("keep = { attr = \"blinking\" }").contains("not an attribute"));
        assert!(Theme::load("drak", Depth::True).unwrap_err().to_string().contains("dark, light"));
    }

    #[test]
    fn depth_follows_the_environment() {
        let detect = |pairs: &[(&str, &str)]| {
            Depth::detect(|name| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(detect(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(detect(&[("TERM", "xterm-kitty")]), Depth::True);
        assert_eq!(detect(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]), Depth::Mono);
        assert_eq!(detect(&[("TERM", "xterm-kitty"), ("NO_COLOR", "")]), Depth::True);
        assert_eq!(detect(&[("TERM", "dumb")]), Depth::Mono);
    }

    #[test]
    fn exact_numbers_are_the_nearest_ones() {
        let mut known = 0;
        for (r, g, b) in
            (0..=255_u8).flat_map(|r| (0..=255).flat_map(move |g| [(r, g, r), (r, r, g), (r, g, g)]))
        {
            if let Some(number) = exact_index(r, g, b) {
                assert_eq!(number, indexed(r, g, b), "{r} {g} {b}");
                known += 1;
            }
        }
        assert!(known > 150, "{known}");
        assert_eq!((exact_index(8, 8, 8), exact_index(238, 238, 238)), (Some(232), Some(255)));
        assert_eq!((exact_index(0, 0, 0), exact_index(0, 0, 255), exact_index(9, 9, 9)), (None, None, None));
    }

    #[test]
    fn nearest_of_256() {
        assert_eq!(indexed(0, 0, 0), 16);
        assert_eq!(indexed(255, 255, 255), 231);
        assert_eq!(indexed(255, 0, 0), 196);
        assert_eq!(indexed(128, 128, 128), 244);
    }
}
