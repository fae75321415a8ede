//! Prompts being edited: the set in use, the edited one, and what was counted with it.

use chaffinch_protocol::{ClassWords, PromptSheet, PromptTally, PromptWords, Ticket, Tried};
use std::sync::Arc;

/// What the engine counts depends on beside prompts: the detector's threshold, its results, and which samples there are.
pub type TrialBasis = (Option<(f32, u64, u64)>, u64);

/// Prompts being edited.
#[derive(Clone, Debug, Default)]
pub struct PromptBench {
    /// The set in use; `None` until the engine has told it.
    pub sheet: Option<Arc<PromptSheet>>,
    /// The set as edited.
    pub words: PromptWords,
    /// The temperature as edited.
    pub temperature: f64,
    /// The line under the cursor.
    pub at: usize,
    /// Whether that line was added and its text is being typed.
    pub adding: bool,
    /// Whether counts for the set on the screen are still to be asked for.
    pub uncounted: bool,
    /// The pending request for counts.
    pub asked: Option<Ticket>,
    /// What the counts that were asked for depend on.
    pub basis: TrialBasis,
    /// The last counts, or why there are none.
    pub tried: Option<Arc<Tried>>,
    /// The pending request to keep the set, and whether it goes back to that of the configuration.
    pub saving: Option<(Ticket, bool)>,
    /// Whether the next set that the engine tells takes the place of the edited one.
    pub adopt: bool,
    /// Whether the set in use was changed elsewhere since it was edited here.
    pub overtaken: bool,
}

/// What a line of the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchLine {
    /// The heading of the templates.
    Templates,
    /// A template.
    Template(usize),
    /// The heading of the alternatives.
    Alternatives,
    /// An alternative.
    Alternative(usize),
    /// The temperature.
    Temperature,
    /// The heading of the classes.
    Classes,
    /// A class of the dataset.
    Class(usize),
}

impl PromptBench {
    /// Whether something was changed that is not kept.
    pub fn is_edited(&self) -> bool {
        self.sheet.as_ref().is_some_and(|sheet| {
            let temperature = sheet.temperature.as_ref();
            sheet.words != self.words || temperature.is_some_and(|param| param.value != self.temperature)
        })
    }

    /// Why the set as edited cannot be used; `None` if it can.
    pub fn fault(&self) -> Option<String> {
        self.words.fault()
    }

    /// Whether nothing can be edited.
    pub fn is_closed(&self) -> bool {
        self.sheet.as_ref().is_none_or(|sheet| !sheet.closed.is_empty())
    }

    /// Takes the set in use. What was edited stays edited, unless it is to be replaced, and so does all while a line is being typed:
    /// what is typed is about that line. The cursor stays on its line wherever that is.
    pub fn take(&mut self, sheet: PromptSheet, typing: bool) {
        let here = (self.line(self.at), self.key_of(self.at));
        let adopt = std::mem::take(&mut self.adopt);
        let own = self.sheet.is_some() && (self.is_edited() || typing);
        let temperature = sheet.temperature.as_ref().map_or(1.0, |param| param.value);
        let before = self.sheet.take();
        self.overtaken |= own && before.as_ref().is_some_and(|before| before.words != sheet.words);
        if adopt || !own {
            self.uncounted |=
                before.is_none() || self.words != sheet.words || self.temperature != temperature;
            self.words.clone_from(&sheet.words);
            self.temperature = temperature;
            self.overtaken = false;
        }
        // What it was counted for, and not what is said of it.
        self.uncounted |= before.as_ref().is_none_or(|before| {
            (&before.words, &before.classes, &before.closed) != (&sheet.words, &sheet.classes, &sheet.closed)
                || before.temperature.as_ref().map(|param| param.value)
                    != sheet.temperature.as_ref().map(|param| param.value)
        });
        self.sheet = Some(Arc::new(sheet));
        let same = |at: &usize| (self.line(*at), self.key_of(*at)) == here;
        let called = |at: &usize| here.1.is_some() && self.key_of(*at) == here.1;
        let lines = self.lines();
        let place = (0..lines).find(same).or_else(|| (0..lines).find(called));
        self.at = place.unwrap_or(self.at).min(lines.saturating_sub(1));
    }

    /// What a line is about, wherever it is: its list and its text, or the class.
    fn key_of(&self, at: usize) -> Option<(u8, String)> {
        match self.line(at) {
            BenchLine::Template(at) => Some((0, self.words.templates.get(at)?.clone())),
            BenchLine::Alternative(at) => Some((1, self.words.alternatives.get(at)?.clone())),
            BenchLine::Class(at) => Some((2, self.sheet.as_ref()?.classes.get(at)?.key.clone())),
            BenchLine::Templates => Some((3, String::new())),
            BenchLine::Alternatives => Some((4, String::new())),
            BenchLine::Temperature => Some((5, String::new())),
            BenchLine::Classes => Some((6, String::new())),
        }
    }

    /// Undoes all that is not kept.
    pub fn drop_edits(&mut self) {
        self.adopt = true;
        if let Some(sheet) = self.sheet.take() {
            self.take((*sheet).clone(), false);
        }
    }

    fn has_temperature(&self) -> bool {
        self.sheet.as_ref().is_some_and(|sheet| sheet.temperature.is_some())
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        let classes = self.sheet.as_ref().map_or(0, |sheet| sheet.classes.len());
        self.classes_at() + 1 + classes
    }

    /// The line of the heading of the classes.
    fn classes_at(&self) -> usize {
        2 + self.words.templates.len() + self.words.alternatives.len() + usize::from(self.has_temperature())
    }

    /// What a line is.
    pub fn line(&self, at: usize) -> BenchLine {
        let (templates, alternatives) = (self.words.templates.len(), self.words.alternatives.len());
        let classes = self.classes_at();
        match at {
            0 => BenchLine::Templates,
            at if at <= templates => BenchLine::Template(at - 1),
            at if at == templates + 1 => BenchLine::Alternatives,
            at if at <= templates + 1 + alternatives => BenchLine::Alternative(at - templates - 2),
            at if at < classes => BenchLine::Temperature,
            at if at == classes => BenchLine::Classes,
            at => BenchLine::Class(at - classes - 1),
        }
    }

    /// The words of a class beside its name.
    pub fn class_words(&self, class: usize) -> ClassWords {
        let key = self.sheet.as_ref().and_then(|sheet| sheet.classes.get(class)).map(|class| &class.key);
        key.and_then(|key| self.words.classes.get(key)).cloned().unwrap_or_default()
    }

    /// The text of a line that can be edited; `None` of a heading.
    pub fn text(&self, line: BenchLine) -> Option<String> {
        match line {
            BenchLine::Template(at) => self.words.templates.get(at).cloned(),
            BenchLine::Alternative(at) => self.words.alternatives.get(at).cloned(),
            BenchLine::Temperature => Some(self.temperature.to_string()),
            BenchLine::Class(at) => {
                let names = &self.sheet.as_ref()?.classes.get(at)?.names;
                Some(self.class_words(at).line(names))
            }
            BenchLine::Templates | BenchLine::Alternatives | BenchLine::Classes => None,
        }
    }

    /// Adds an empty line below the cursor, to be typed, and goes to it. Returns false where none can be added.
    pub fn add(&mut self) -> bool {
        let (list, at) = match self.line(self.at) {
            BenchLine::Templates => (&mut self.words.templates, 0),
            BenchLine::Template(at) => (&mut self.words.templates, at + 1),
            BenchLine::Alternatives => (&mut self.words.alternatives, 0),
            BenchLine::Alternative(at) => (&mut self.words.alternatives, at + 1),
            BenchLine::Temperature | BenchLine::Classes | BenchLine::Class(_) => return false,
        };
        list.insert(at, String::new());
        self.at += 1;
        self.adding = true;
        true
    }

    /// Takes back a line that was added and not typed.
    pub fn take_back(&mut self) {
        let empty = self.text(self.line(self.at)).is_some_and(|text| text.is_empty());
        if std::mem::take(&mut self.adding) && empty && self.remove() {
            self.at -= 1;
        }
    }

    /// Removes the line under the cursor, or the words of a class beside its name. Returns false if that changes nothing.
    pub fn remove(&mut self) -> bool {
        match self.line(self.at) {
            BenchLine::Template(at) => _ = self.words.templates.remove(at),
            BenchLine::Alternative(at) => _ = self.words.alternatives.remove(at),
            BenchLine::Class(class) => {
                let sheet = self.sheet.clone();
                let Some(class) = sheet.as_ref().and_then(|sheet| sheet.classes.get(class)) else {
                    return false;
                };
                if self.words.classes.remove(&class.key).is_none() {
                    return false;
                }
            }
            _ => return false,
        }
        self.uncounted = true;
        true
    }

    /// Replaces the text of the line under the cursor. Its faults are found later, by [`PromptBench::fault`].
    ///
    /// # Errors
    /// When a temperature is not a number that it may be.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        match self.line(self.at) {
            BenchLine::Template(at) => text.clone_into(&mut self.words.templates[at]),
            BenchLine::Alternative(at) => text.clone_into(&mut self.words.alternatives[at]),
            BenchLine::Temperature => {
                let sheet = self.sheet.clone();
                let Some(param) = sheet.as_ref().and_then(|sheet| sheet.temperature.as_ref()) else {
                    return Ok(());
                };
                let value = text.parse::<f64>().map_err(|_| format!("'{text}' is not a number"))?;
                if !(param.min..=param.max).contains(&value) {
                    return Err(format!("the temperature must be from {} to {}", param.min, param.max));
                }
                self.temperature = value;
            }
            BenchLine::Class(class) => {
                let sheet = self.sheet.clone();
                let Some(class) = sheet.as_ref().and_then(|sheet| sheet.classes.get(class)) else {
                    return Ok(());
                };
                match ClassWords::read(text, &class.names) {
                    none if none == ClassWords::default() => _ = self.words.classes.remove(&class.key),
                    words => _ = self.words.classes.insert(class.key.clone(), words),
                }
            }
            BenchLine::Templates | BenchLine::Alternatives | BenchLine::Classes => {}
        }
        self.adding = false;
        self.uncounted = true;
        Ok(())
    }

    /// The last counts, if there are any.
    pub fn counts(&self) -> &[PromptTally] {
        self.tried.as_ref().map_or(&[], |tried| tried.classes.as_slice())
    }

    /// Whether they are of another set than that on the screen.
    pub fn is_counting(&self) -> bool {
        self.uncounted || self.asked.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::{FormParam, SpokenClass};

    fn bench() -> PromptBench {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let class = |name: &str| SpokenClass { key: name.to_owned(), names: texts(&[name]) };
        let mut bench = PromptBench::default();
        bench.take(
            PromptSheet {
                words: PromptWords {
                    templates: texts(&["a {}", "the {}"]),
                    alternatives: texts(&["nothing"]),
                    ..PromptWords::default()
                },
                classes: vec![class("cat"), class("dog")],
                temperature: Some(FormParam { value: 1.0, min: 0.05, max: 10.0, ..FormParam::default() }),
                ..PromptSheet::default()
            },
            false,
        );
        bench
    }

    #[test]
    fn every_line_is_there_once() {
        use BenchLine as L;
        let bench = bench();
        let lines: Vec<BenchLine> = (0..bench.lines()).map(|at| bench.line(at)).collect();
        let expected = [
            L::Templates,
            L::Template(0),
            L::Template(1),
            L::Alternatives,
            L::Alternative(0),
            L::Temperature,
            L::Classes,
            L::Class(0),
            L::Class(1),
        ];
        assert_eq!(lines, expected);
        assert_eq!(bench.text(L::Class(1)).as_deref(), Some("dog"));
    }

    #[test]
    fn lines_are_added_changed_and_removed() {
        let mut bench = bench();
        assert!(!bench.is_edited());
        bench.at = 2;
        assert!(bench.add());
        assert_eq!((bench.at, bench.words.templates.len()), (3, 3));
        bench.take_back();
        assert!(!bench.is_edited() && bench.at == 2, "an empty line that was only begun is gone");
        bench.at = 3;
        assert!(bench.add() && bench.set("a thing").is_ok());
        assert_eq!(bench.words.alternatives, ["a thing", "nothing"]);
        bench.at = 8;
        bench.set("cat; kitten").unwrap();
        assert_eq!(bench.words.classes["cat"].synonyms, ["kitten"]);
        assert!(bench.is_edited() && bench.remove() && !bench.remove());
        assert!(!bench.add(), "the dataset has the classes that it has");
        bench.at = 6;
        assert_eq!(bench.set("11").unwrap_err(), "the temperature must be from 0.05 to 10");
        assert_eq!(bench.set("x").unwrap_err(), "'x' is not a number");
        bench.set("2").unwrap();
        bench.drop_edits();
        assert_eq!((bench.is_edited(), bench.temperature), (false, 1.0));
    }

    #[test]
    fn edits_outlive_what_the_engine_tells() {
        let mut bench = bench();
        bench.at = 1;
        bench.set("one {}").unwrap();
        let sheet = PromptSheet { own: true, ..(*bench.sheet.clone().unwrap()).clone() };
        bench.take(sheet.clone(), false);
        assert!(bench.is_edited());
        bench.adopt = true;
        bench.take(sheet, false);
        assert!(!bench.is_edited());
    }

    #[test]
    fn a_set_that_is_told_again_is_not_counted_again_and_the_cursor_stays_on_its_line() {
        let mut bench = bench();
        bench.uncounted = false;
        let told = (*bench.sheet.clone().unwrap()).clone();
        bench.take(PromptSheet { outdated: true, remark: "x".into(), ..told.clone() }, false);
        assert!(!bench.uncounted, "what is said of it changes no count");
        // Another terminal saves a set without the first template.
        let mut other = told;
        other.words.templates.remove(0);
        for (at, then) in [(2, Some("the {}")), (8, Some("dog"))] {
            let mut bench = bench.clone();
            bench.at = at;
            bench.take(other.clone(), false);
            assert_eq!(bench.text(bench.line(bench.at)).as_deref(), then);
            assert!(bench.uncounted && !bench.is_edited() && !bench.overtaken);
        }
        // While a line is typed, it is that line that is meant, and the set is one's own.
        bench.at = 1;
        bench.take(other, true);
        bench.set("one {}").unwrap();
        assert_eq!(bench.words.templates, ["one {}", "the {}"]);
        assert!(bench.is_edited() && bench.overtaken, "which is said");
        bench.drop_edits();
        assert!(bench.words.templates == ["the {}"] && !bench.overtaken);
    }
}
