//! Random scripts of keys against an engine that answers when it likes: whatever is typed, and however long answers
//! take, the same is decided as if each key had been answered before the next one was pressed.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::key::parse_sequence;
use crate::model::Mode;
use crate::update::Msg;
use chaffinch_protocol::Command;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

const COUNT: u32 = 150;
const CLASSES: [&str; 4] = ["bird", "cat", "dog", "horse"];

/// What is typed, in one go each.
const TYPED: [&str; 32] = [
    "a",
    "x",
    "s",
    "1",
    "1",
    "1",
    "2",
    "3",
    "9",
    "<Enter>",
    "<Enter>",
    "0",
    ".",
    "u",
    "u",
    "<C-r>",
    "j",
    "j",
    "k",
    "G",
    "gg",
    "}",
    "{",
    "<Space>",
    "<Space>",
    "v",
    "<Esc>",
    "y",
    ",c",
    ",s",
    ",,",
    "Ffclass:cat<Enter>",
];

/// A simple model of the list and of what the keys do.
#[derive(Default)]
struct Simple {
    decisions: Vec<Option<Choice>>,
    order: Vec<u32>,
    cursor: usize,
    marks: BTreeSet<u32>,
    range: Option<usize>,
    by_class: bool,
    reversed: bool,
    cats: bool,
    last: Option<Choice>,
    done: Vec<Entry>,
    undone: Vec<Entry>,
    asked: Option<Vec<(u32, Option<Choice>)>>,
}

type Entry = Vec<(u32, Option<Choice>, Option<Choice>)>;

fn label(n: u32) -> u32 {
    n % 4
}

fn relabel(class: u32) -> Choice {
    Choice::Relabel(CLASSES[class as usize].to_owned())
}

fn suggested(n: u32) -> Option<Choice> {
    n.is_multiple_of(3).then(|| relabel((label(n) + 1) % 4))
}

/// The classes on the digits of a sample.
fn candidate(n: u32, digit: usize) -> Option<u32> {
    [1, 0, 2, 3].get(digit - 1).map(|step| (label(n) + step) % 4)
}

impl Simple {
    fn new() -> Simple {
        let decisions = vec![None; COUNT as usize];
        let mut simple = Simple { decisions, ..Simple::default() };
        simple.list();
        simple
    }

    fn here(&self) -> u32 {
        self.order[self.cursor]
    }

    fn list(&mut self) {
        self.order = (0..COUNT).filter(|n| !self.cats || label(*n) == 1).collect();
        if self.by_class {
            self.order.sort_by_key(|n| label(*n));
        }
        if self.reversed {
            self.order.reverse();
        }
        self.range = None;
    }

    /// Lists again; the cursor goes to a sample, else it stays in its row.
    fn relist(&mut self, to: u32) {
        self.list();
        let row = self.order.iter().position(|n| *n == to);
        self.cursor = row.unwrap_or(self.cursor).min(self.order.len() - 1);
    }

    /// The targets of a key, and whether they are marked ones.
    fn targets(&mut self) -> Option<(Vec<u32>, bool)> {
        self.take_range();
        if self.marks.is_empty() {
            return Some((vec![self.here()], false));
        }
        let seen: Vec<u32> = self.marks.iter().copied().filter(|n| self.order.contains(n)).collect();
        (!seen.is_empty()).then_some((seen, true))
    }

    fn take_range(&mut self) {
        if let Some(from) = self.range.take() {
            let (low, high) = (from.min(self.cursor), from.max(self.cursor));
            self.marks.extend(&self.order[low..=high]);
        }
    }

    fn next(&mut self) {
        let open = |row: &usize| self.decisions[self.order[*row] as usize].is_none();
        if let Some(row) = (self.cursor + 1..self.order.len()).find(open) {
            self.cursor = row;
        }
    }

    fn decide(&mut self, each: Vec<(u32, Option<Choice>)>) {
        let here = self.here();
        let mut others = each.iter().filter_map(|(_, choice)| choice.clone()).filter(|c| *c != Choice::Keep);
        let first = others.next().unwrap_or(Choice::Keep);
        if others.all(|other| other == first) && each[0].1.is_some() {
            self.last = Some(first);
        }
        let advance = each.iter().any(|(n, choice)| *n == here && choice.is_some());
        let clears = each.iter().all(|(_, choice)| choice.is_none());
        let mut entry = Entry::new();
        for (n, choice) in each {
            entry.push((n, self.decisions[n as usize].clone(), choice.clone()));
            self.decisions[n as usize] = choice;
            self.marks.remove(&n);
        }
        // What is there already makes no entry.
        if clears {
            entry.retain(|(_, before, after)| before != after);
        }
        if entry.iter().any(|(_, before, after)| before != after) {
            self.done.push(entry);
            self.undone.clear();
        }
        if advance {
            self.next();
        }
    }

    fn all(&mut self, choice: Choice) {
        let Some((samples, _)) = self.targets() else { return };
        let each: Vec<_> = samples.into_iter().map(|n| (n, Some(choice.clone()))).collect();
        if each.len() > 20 { self.asked = Some(each) } else { self.decide(each) }
    }

    /// Asks about relabeling all of these; what has the label already is kept.
    fn ask_class(&mut self, samples: &[u32], class: u32) {
        let choice = |n: u32| if label(n) == class { Choice::Keep } else { relabel(class) };
        let each: Vec<_> = samples.iter().map(|n| (*n, Some(choice(*n)))).collect();
        self.asked = Some(each);
    }

    fn digit(&mut self, digit: usize) {
        let here = self.here();
        let Some(class) = candidate(here, digit) else { return };
        match self.targets() {
            Some((samples, true)) => self.ask_class(&samples, class),
            Some((_, false)) if label(here) == class => self.decide(vec![(here, Some(Choice::Keep))]),
            Some((_, false)) => self.decide(vec![(here, Some(relabel(class)))]),
            None => {}
        }
    }

    fn accept(&mut self) {
        let Some((samples, _)) = self.targets() else { return };
        let each: Vec<_> = samples.iter().filter_map(|n| Some((*n, Some(suggested(*n)?)))).collect();
        if each.is_empty() {
            return;
        }
        if each.len() > 20 { self.asked = Some(each) } else { self.decide(each) }
    }

    fn repeat(&mut self) {
        match self.last.clone() {
            Some(Choice::Relabel(name)) => {
                let class = CLASSES.iter().position(|class| *class == name).unwrap() as u32;
                match self.targets() {
                    Some((samples, true)) => self.ask_class(&samples, class),
                    Some((samples, false)) => {
                        let own = label(samples[0]) == class;
                        let choice = if own { Choice::Keep } else { relabel(class) };
                        self.decide(vec![(samples[0], Some(choice))]);
                        self.last = Some(relabel(class));
                    }
                    None => {}
                }
            }
            Some(choice) => self.all(choice),
            None => {}
        }
    }

    fn back_or_again(&mut self, undo: bool) {
        let taken = if undo { self.done.pop() } else { self.undone.pop() };
        let Some(entry) = taken else { return };
        for (n, before, after) in &entry {
            self.decisions[*n as usize].clone_from(if undo { before } else { after });
        }
        let first = entry[0].0;
        if entry.len() > 1 {
            self.relist(first);
        } else if let Some(row) = self.order.iter().position(|n| *n == first) {
            self.cursor = row;
        }
        if undo { self.undone.push(entry) } else { self.done.push(entry) }
    }

    fn typed(&mut self, keys: &str) {
        if let Some(each) = self.asked.take() {
            match keys {
                "y" => self.decide(each),
                "<Esc>" => {}
                // Of what is typed in one go only single keys could answer.
                _ => self.asked = Some(each),
            }
            return;
        }
        let last = self.order.len() - 1;
        match keys {
            "a" => self.all(Choice::Keep),
            "x" => self.all(Choice::Remove),
            "s" => self.all(Choice::Unsure),
            "1" | "2" | "3" | "9" => self.digit(keys.parse().unwrap()),
            "<Enter>" => self.accept(),
            "0" => {
                if let Some((samples, _)) = self.targets() {
                    self.decide(samples.into_iter().map(|n| (n, None)).collect());
                }
            }
            "." => self.repeat(),
            "u" => self.back_or_again(true),
            "<C-r>" => self.back_or_again(false),
            "j" => self.cursor = (self.cursor + 1).min(last),
            "k" => self.cursor = self.cursor.saturating_sub(1),
            "G" => self.cursor = last,
            "gg" => self.cursor = 0,
            "}" => self.next(),
            "{" => {
                let open = |row: &usize| self.decisions[self.order[*row] as usize].is_none();
                self.cursor = (0..self.cursor).rev().find(open).unwrap_or(self.cursor);
            }
            "<Space>" => {
                let here = self.here();
                if !self.marks.remove(&here) {
                    self.marks.insert(here);
                }
                self.cursor = (self.cursor + 1).min(last);
            }
            "v" if self.range.is_some() => self.take_range(),
            "v" => self.range = Some(self.cursor),
            "<Esc>" if self.range.take().is_some() => {}
            "<Esc>" => self.marks.clear(),
            ",c" | ",s" | ",," => {
                match keys {
                    ",c" => self.by_class = true,
                    ",s" => self.by_class = false,
                    _ => self.reversed = !self.reversed,
                }
                let here = self.here();
                self.relist(here);
            }
            "Ffclass:cat<Enter>" => {
                for cats in [false, true] {
                    if self.cats != cats {
                        self.cats = cats;
                        let here = self.here();
                        self.relist(here);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The real interface, and an engine that answers when the dice say so.
struct Slow {
    rig: Rig,
    /// Commands on their way to the engine.
    commands: VecDeque<Command>,
    /// The list that the engine works on, beside everything else; a newer one takes its place.
    list: Option<Command>,
    /// Events on their way back.
    events: VecDeque<chaffinch_protocol::Event>,
    dice: u64,
}

impl Slow {
    fn new(dice: u64) -> Slow {
        let mut rig = Rig::new(FakeEngine::new(COUNT), 80, 24);
        rig.model.display.pictures_on = false;
        rig.cut = true;
        Slow { rig, commands: VecDeque::new(), list: None, events: VecDeque::new(), dice: dice | 1 }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    fn type_in(&mut self, keys: &str) {
        for key in parse_sequence(keys).unwrap() {
            self.rig.send(Msg::Key(key.into()));
        }
    }

    /// One thing happens somewhere.
    fn step(&mut self) {
        self.commands.extend(self.rig.pull());
        match self.roll(4) {
            0 => {
                if let Some(command) = self.commands.pop_front() {
                    match command {
                        Command::List { .. } => self.list = Some(command),
                        other => self.events.extend(self.rig.engine.handle(other)),
                    }
                }
            }
            1 => {
                if let Some(command) = self.list.take() {
                    self.events.extend(self.rig.engine.handle(command));
                }
            }
            2 => {
                if let Some(event) = self.events.pop_front() {
                    self.rig.event(event);
                }
            }
            _ => {
                let pause = self.roll(20);
                self.rig.wait(pause);
            }
        }
    }

    /// Everything is answered.
    fn rest(&mut self) {
        let mut quiet = 0;
        while quiet < 60 {
            self.step();
            self.commands.extend(self.rig.pull());
            let busy = !self.commands.is_empty() || self.list.is_some() || !self.events.is_empty();
            quiet = if busy { 0 } else { quiet + 1 };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn any_script_decides_what_was_meant(
        script in prop::collection::vec(0..TYPED.len(), 1..60),
        dice in any::<u64>(),
        pace in 0_u64..12,
    ) {
        let mut simple = Simple::new();
        let mut slow = Slow::new(dice);
        for typed in script {
            let keys = TYPED[typed];
            simple.typed(keys);
            slow.type_in(keys);
            for _ in 0..slow.roll(pace + 1) {
                slow.step();
            }
        }
        slow.rest();
        let (rig, model) = (&slow.rig, &slow.rig.model);
        for n in 0..COUNT {
            prop_assert_eq!(&rig.choice(n), &simple.decisions[n as usize], "sample {}", n);
        }
        prop_assert_eq!(model.sample(), Some(SampleId(simple.here())), "the cursor");
        let marks: Vec<u32> = model.review.marks.iter().map(|sample| sample.0).collect();
        prop_assert_eq!(marks, simple.marks.iter().copied().collect::<Vec<_>>(), "the marks");
        prop_assert_eq!(matches!(model.mode, Mode::Confirm(_)), simple.asked.is_some(), "a question");
        let decided = simple.order.iter().filter(|n| simple.decisions[**n as usize].is_some()).count();
        prop_assert_eq!(model.list.decided, decided as u64, "the count");
        prop_assert_eq!(model.counts().iter().sum::<u64>(), decided as u64, "the count on the screen");
        prop_assert!(model.ahead.is_empty());
    }
}
