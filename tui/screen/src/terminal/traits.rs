//! What is known about the terminal, from the environment and from its replies, and the picture method that
//! follows from it.

use super::probe::Answer;
use crate::picture::{Protocol, Wish};
use crate::theme::Depth;

/// Pixels of a cell where nothing tells: too small or large only scales.
const USUAL_CELL: (u32, u32) = (10, 20);

/// The knowledge so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traits {
    wish: Wish,
    mono: bool,
    /// Inside tmux.
    pub tmux: bool,
    /// Inside another multiplexer, here or on the way here: what the variables say is about the terminal around it.
    screen: bool,
    /// What the variables call the terminal. They get everywhere, also to where nothing can show a picture.
    told: String,
    /// What it calls itself.
    brand: String,
    kitty: Option<bool>,
    sixel: bool,
    asked_cell: Option<(u32, u32)>,
    window_cell: Option<(u32, u32)>,
}

impl Traits {
    /// From the environment alone.
    pub fn new(wish: Wish, depth: Depth, get: impl Fn(&str) -> Option<String>) -> Traits {
        let set = |name: &str| get(name).is_some_and(|value| !value.is_empty());
        let program = get("TERM_PROGRAM").filter(|name| name != "tmux").unwrap_or_default();
        // Most servers accept LC_*, so this one survives SSH where TERM_PROGRAM does not.
        let brand = match get("LC_TERMINAL") {
            Some(name) if program.is_empty() => name,
            _ => program,
        };
        let term = get("TERM").unwrap_or_default();
        Traits {
            wish,
            mono: depth == Depth::Mono,
            tmux: set("TMUX"),
            screen: set("STY") || term.starts_with("screen") || term.starts_with("tmux"),
            told: brand.to_lowercase(),
            brand: String::new(),
            kitty: None,
            sixel: false,
            asked_cell: None,
            window_cell: None,
        }
    }

    /// Whether replies can make a difference.
    pub fn curious(&self) -> bool {
        match self.wish {
            Wish::Auto => !self.mono,
            Wish::Protocol(_) => true,
            _ => false,
        }
    }

    /// Whether tmux needs to pass sequences through to the terminal.
    pub fn needs_passthrough(&self) -> bool {
        self.tmux && self.curious() && self.wish != Wish::Protocol(Protocol::Sixel)
    }

    /// Takes an answer in.
    pub fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Kitty(can) => self.kitty = Some(*can),
            Answer::Attributes(list) => self.sixel = list.contains(&4),
            Answer::Cell(width, height) => self.asked_cell = Some((*width, *height)),
            // Inside tmux it is tmux that answers this.
            Answer::Version(name) if !self.tmux => self.brand = name.to_lowercase(),
            Answer::Version(_) | Answer::Ground(_) | Answer::Done => {}
        }
    }

    /// Whether to ask the terminal for kitty's graphics. GNU screen takes the question for a message to show.
    pub fn asks_kitty(&self) -> bool {
        !self.tmux && !self.screen
    }

    /// What the system knows of the window: cells, and pixels where it has them.
    pub fn window(&mut self, cells: (u16, u16), pixels: (u16, u16)) {
        let cell = |cells: u16, pixels: u16| {
            let pixels = u32::from(pixels).checked_div(u32::from(cells))?;
            (2..=512).contains(&pixels).then_some(pixels)
        };
        self.window_cell = cell(cells.0, pixels.0).zip(cell(cells.1, pixels.1));
    }

    /// There may be another terminal now.
    pub fn doubt(&mut self) {
        self.kitty = None;
    }

    /// Pixels of a cell.
    pub fn cell(&self) -> (u32, u32) {
        self.asked_cell.or(self.window_cell).unwrap_or(USUAL_CELL)
    }

    /// The way to show pictures, as far as is known; none means characters.
    pub fn protocol(&self) -> Option<Protocol> {
        let kitty = if self.tmux { Protocol::Placeholders } else { Protocol::Kitty };
        match self.wish {
            Wish::Protocol(Protocol::Kitty) => return Some(kitty),
            Wish::Protocol(protocol) => return Some(protocol),
            Wish::Auto if !self.mono => {}
            _ => return None,
        }
        let is = |brand: &str, names: &[&str]| names.iter().any(|name| brand.contains(name));
        // Enough to mistrust an answer.
        let named = |names: &[&str]| is(&self.brand, names) || is(&self.told, names);
        // A variable is trusted only where the terminal itself says that it can show pictures of some kind.
        let shows =
            |names: &[&str]| is(&self.brand, names) || is(&self.told, names) && self.sixel && !self.screen;
        let answers_kitty = self.kitty == Some(true);
        if self.tmux {
            // These answer for kitty's graphics and do not know its placeholders.
            return match (answers_kitty && !named(&["wezterm", "konsole"]), self.sixel) {
                (true, _) => Some(kitty),
                (false, true) => Some(Protocol::Sixel),
                (false, false) => None,
            };
        }
        // The first of these shows every pixel as it is.
        if answers_kitty && !named(&["wezterm"]) {
            Some(kitty)
        } else if shows(&["iterm", "wezterm", "mintty"]) {
            Some(Protocol::Iterm)
        } else if self.sixel && !named(&["konsole"]) {
            Some(Protocol::Sixel)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(wish: Wish, env: &[(&str, &str)], answers: &[Answer]) -> Traits {
        let get = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let mut traits = Traits::new(wish, Depth::True, get);
        answers.iter().for_each(|answer| traits.learn(answer));
        traits
    }

    #[test]
    fn answers_choose_the_protocol() {
        let sixel = Answer::Attributes(vec![62, 4]);
        let plain = Answer::Attributes(vec![62, 22]);
        let version = |name: &str| Answer::Version(name.to_owned());
        let tmux: &[(&str, &str)] = &[("TMUX", "/tmp/x,1,0"), ("TERM_PROGRAM", "tmux")];
        for (env, answers, expected) in [
            (&[][..], vec![], None),
            (&[], vec![plain.clone()], None),
            (&[], vec![Answer::Kitty(true), plain.clone()], Some(Protocol::Kitty)),
            (&[], vec![Answer::Kitty(false), plain.clone()], None),
            (&[], vec![Answer::Kitty(true), sixel.clone()], Some(Protocol::Kitty)),
            (&[], vec![sixel.clone()], Some(Protocol::Sixel)),
            // A variable alone says nothing: it is passed on to where nothing can show a picture.
            (&[("LC_TERMINAL", "iTerm2")], vec![], None),
            (&[("LC_TERMINAL", "iTerm2")], vec![plain.clone()], None),
            (&[("TERM_PROGRAM", "WezTerm")], vec![], None),
            (&[("LC_TERMINAL", "iTerm2"), ("STY", "1.pts")], vec![sixel.clone()], Some(Protocol::Sixel)),
            (&[("LC_TERMINAL", "iTerm2"), ("TERM", "screen.xterm-256color")], vec![plain.clone()], None),
            (&[("LC_TERMINAL", "iTerm2"), ("TERM", "tmux-256color")], vec![plain.clone()], None),
            (&[("LC_TERMINAL", "iTerm2")], vec![sixel.clone()], Some(Protocol::Iterm)),
            (&[], vec![version("iTerm2 3.5.0"), plain.clone()], Some(Protocol::Iterm)),
            (&[], vec![Answer::Kitty(true), version("WezTerm 2026"), sixel.clone()], Some(Protocol::Iterm)),
            (&[], vec![version("Konsole 24"), sixel.clone()], None),
            (tmux, vec![sixel.clone()], Some(Protocol::Sixel)),
            (tmux, vec![plain.clone(), Answer::Kitty(true)], Some(Protocol::Placeholders)),
            (tmux, vec![plain.clone()], None),
        ] {
            assert_eq!(traits(Wish::Auto, env, &answers).protocol(), expected, "{env:?} {answers:?}");
        }
    }

    #[test]
    fn a_wish_goes_before_everything() {
        let tmux = [("TMUX", "x")];
        assert_eq!(traits(Wish::Protocol(Protocol::Sixel), &tmux, &[]).protocol(), Some(Protocol::Sixel));
        let forced = traits(Wish::Protocol(Protocol::Kitty), &tmux, &[Answer::Kitty(false)]);
        assert_eq!(forced.protocol(), Some(Protocol::Placeholders));
        for wish in [Wish::Blocks, Wish::Ascii, Wish::Off] {
            let traits = traits(wish, &[], &[Answer::Kitty(true)]);
            assert_eq!((traits.protocol(), traits.curious()), (None, false));
        }
        let mono = Traits::new(Wish::Auto, Depth::Mono, |_| None);
        assert!(!mono.curious());
    }

    #[test]
    fn the_cell_is_what_was_answered_then_what_the_window_says() {
        let mut traits = traits(Wish::Auto, &[], &[]);
        assert_eq!(traits.cell(), USUAL_CELL);
        traits.window((100, 50), (800, 800));
        assert_eq!(traits.cell(), (8, 16));
        traits.learn(&Answer::Cell(9, 18));
        assert_eq!(traits.cell(), (9, 18));
        traits.window((0, 0), (65535, 65535));
        traits.window((1, 1), (65535, 65535));
        assert_eq!(traits.window_cell, None);
    }
}
