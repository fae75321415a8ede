//! The workbench for prompts: what is edited is counted, nothing passes for saved that is not, and nothing is lost in silence.

use super::engine::FakeEngine;
use super::rig::Rig;
use super::screens::snapshot;
use crate::model::Mode;
use crate::update::Effect;
use chaffinch_protocol::{
    BUSY, ClassWords, Command, Compared, Event, FormParam, PromptSheet, PromptTally, PromptWords, PromptsSet,
    SpokenClass, Ticket, Tried,
};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The set of the fake engine: four classes, one of which has a word of its own.
pub(super) fn sheet() -> PromptSheet {
    let class = |name: &str| SpokenClass { key: name.to_owned(), names: texts(&[name]) };
    let kitten = ClassWords { synonyms: texts(&["kitten"]), ..ClassWords::default() };
    PromptSheet {
        detector: "clip-prompt".to_owned(),
        words: PromptWords {
            templates: texts(&["a photo of a {}", "a photo of the {}"]),
            alternatives: texts(&["a photo of something"]),
            classes: [("cat".to_owned(), kitten)].into(),
        },
        classes: ["bird", "cat", "dog", "horse"].map(class).into(),
        origin: "built in".to_owned(),
        temperature: Some(FormParam {
            value: 1.0,
            min: 0.05,
            max: 10.0,
            default: 1.0,
            ..FormParam::default()
        }),
        ..PromptSheet::default()
    }
}

/// What it counts: by the number of templates, so that another set gives other numbers.
pub(super) fn tried(engine: &FakeEngine, ticket: Ticket, words: &PromptWords) -> Event {
    let failed = engine.uncounted.clone().unwrap_or_default();
    let many = words.templates.len() as u64;
    let tally = |class: u64| PromptTally {
        labeled: 25,
        agreed: 20 + class,
        seen: 1_000 * many + class,
        seen_moved: (12, class),
        flagged: 10 + class,
        flagged_moved: (class, 0),
    };
    let classes = if failed.is_empty() { (0..4).map(tally).collect() } else { Vec::new() };
    let compared = Some(Compared { newly: 6, formerly: 0 });
    let detector = sheet().detector;
    Event::Tried(Tried { ticket, detector, flagged: 46, scored: 100, compared, classes, failed })
}

pub(super) fn set(
    engine: &mut FakeEngine,
    ticket: Ticket,
    (words, temperature): (Option<PromptWords>, Option<f64>),
) -> Vec<Event> {
    let refused = engine.refuse.clone().unwrap_or_default();
    let done = refused.is_empty();
    if done {
        let own = words.is_some();
        let before = sheet();
        engine.prompts.words = words.unwrap_or(before.words);
        engine.prompts.origin = if own { "edited in this session".to_owned() } else { before.origin };
        engine.prompts.temperature = before.temperature.map(|param| {
            let value = temperature.unwrap_or(param.default);
            FormParam { value, ..param }
        });
        (engine.prompts.own, engine.prompts.outdated) = (own, true);
    }
    let mut events = vec![Event::PromptsSet(PromptsSet { ticket, refused })];
    events.extend(done.then(|| engine.hello()));
    events
}

fn asked(rig: &Rig) -> Vec<PromptWords> {
    let words = |command: &Command| match command {
        Command::Try { prompts, .. } => prompts.clone(),
        _ => None,
    };
    rig.engine.seen.iter().filter_map(words).collect()
}

fn saved(rig: &Rig) -> Vec<(Option<PromptWords>, Option<f64>)> {
    let set = |command: &Command| match command {
        Command::SetPrompts { prompts, temperature, .. } => Some((prompts.clone(), *temperature)),
        _ => None,
    };
    rig.engine.seen.iter().filter_map(set).collect()
}

/// Types text and accepts it.
fn type_in(rig: &mut Rig, text: &str) {
    rig.press("<C-u>");
    for c in text.chars() {
        rig.press(&match c {
            ' ' => "<Space>".to_owned(),
            c => c.to_string(),
        });
    }
    rig.press("<Enter>");
}

#[test]
fn what_is_edited_is_counted_and_saved_with_a_key() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut rig = Rig::new(FakeEngine::new(100), width, height);
        rig.press("gp");
        snapshot(&format!("prompts-{width}x{height}"), &rig.screen());
        assert_eq!(asked(&rig).len(), 1, "the set in use is counted once");
        // Below the first template.
        rig.press("ja");
        type_in(&mut rig, "a drawing of a {}");
        let last = asked(&rig).pop().unwrap();
        assert_eq!(last.templates, ["a photo of a {}", "a drawing of a {}", "a photo of the {}"]);
        let screen = rig.screen();
        assert!(screen.contains("3,001") && screen.contains("not saved: r saves"), "{screen}");
        assert_eq!(saved(&rig), [], "nothing is kept before the key");
        rig.press("r");
        assert_eq!(saved(&rig), [(Some(last), Some(1.0))]);
        let screen = rig.screen();
        assert!(screen.contains("Prompts, edited in this session"), "{screen}");
        assert!(screen.contains("flags in the list are of other prompts: gs"), "{screen}");
        assert!(!screen.contains("not saved"), "{screen}");
    }
}

#[test]
fn words_of_a_class_and_the_temperature_are_edited_in_their_lines() {
    let mut rig = Rig::small();
    // The last line is horse; five above it is the temperature.
    rig.press("gpG<Enter>");
    type_in(&mut rig, "horse; pony; \"a horse, asleep\"");
    let horse = asked(&rig).pop().unwrap().classes["horse"].clone();
    assert_eq!(
        (horse.synonyms, horse.prompts, horse.only),
        (texts(&["pony"]), texts(&["a horse, asleep"]), false)
    );
    rig.press("x");
    assert!(!asked(&rig).pop().unwrap().classes.contains_key("horse"));
    rig.press("kkkkk<Enter>");
    type_in(&mut rig, "2.5");
    assert!(rig.screen().contains("Temperature 2.5"), "{}", rig.screen());
    rig.press("<Enter>");
    type_in(&mut rig, "0");
    assert_eq!(rig.toast(), "the temperature must be from 0.05 to 10");
    rig.press("r");
    assert_eq!(saved(&rig).pop().unwrap().1, Some(2.5));
    // Back to the configuration: that is asked first, and takes the temperature along.
    rig.press("0");
    assert!(matches!(rig.model.mode, Mode::Confirm(_)));
    rig.press("y");
    assert_eq!(saved(&rig).pop().unwrap(), (None, None));
    assert!(rig.screen().contains("Temperature 1,"), "{}", rig.screen());
}

#[test]
fn what_cannot_be_used_is_said_and_neither_counted_nor_saved() {
    let mut rig = Rig::small();
    rig.press("gpj<Enter>");
    let before = asked(&rig).len();
    type_in(&mut rig, "a photo");
    let screen = rig.screen();
    assert!(screen.contains("the template 'a photo' cannot be used: it must contain {} once"), "{screen}");
    assert!(screen.contains("not counted, as they cannot be used"), "{screen}");
    rig.press("r");
    assert!(rig.toast().starts_with("not saved: the template 'a photo'"), "{}", rig.toast());
    assert_eq!((asked(&rig).len(), saved(&rig)), (before, Vec::new()));
    rig.press("<Enter>");
    type_in(&mut rig, "A photo of THE {}");
    assert!(rig.screen().contains("it is there twice"), "{}", rig.screen());
    rig.press("<Enter>");
    type_in(&mut rig, "");
    assert_eq!(rig.toast(), "an empty line is no prompt, so nothing was changed");
    // A line that was only begun is gone again, and the last template stays.
    rig.press("a<Esc>xx");
    assert_eq!(rig.toast(), "at least one template is needed");
    assert_eq!(asked(&rig).pop().unwrap().templates.len(), 1);
}

#[test]
fn a_refused_save_is_said_and_nothing_passes_for_saved() {
    let mut rig = Rig::small();
    rig.engine.refuse = Some("the session is open read-only".to_owned());
    rig.press("gpjxr");
    assert_eq!(rig.toast(), "not saved: the session is open read-only");
    let screen = rig.screen();
    assert!(screen.contains("Prompts, built in") && screen.contains("not saved: r saves"), "{screen}");
    // Leaving says so, and coming back shows them as they were typed.
    rig.press("q");
    assert_eq!(rig.toast(), "the prompts on their page are not saved");
    rig.press("gp");
    assert!(rig.screen().contains("not saved: r saves"), "{}", rig.screen());
    rig.press("qq");
    let quit = |rig: &Rig| rig.effects.iter().any(|effect| matches!(effect, Effect::Quit(_)));
    assert!(!quit(&rig), "the first time it is only said");
    assert!(rig.toast().contains("not saved; quit once more"), "{}", rig.toast());
    rig.press("q");
    assert!(quit(&rig));
}

#[test]
fn while_a_scan_runs_nothing_waits_and_it_is_counted_after_it() {
    let mut rig = Rig::small();
    rig.engine.uncounted = Some(BUSY.to_owned());
    rig.press("gp");
    assert!(rig.screen().contains("not counted: a scan is running"), "{}", rig.screen());
    let before = asked(&rig).len();
    rig.wait(10_000);
    assert_eq!(asked(&rig).len(), before, "it is not asked again and again");
    rig.engine.uncounted = None;
    let hello = rig.engine.hello();
    rig.event(hello.clone());
    assert!(rig.screen().contains("46 flagged (+6/−0)"), "{}", rig.screen());
    let counted = asked(&rig).len();
    rig.event(hello);
    assert_eq!(asked(&rig).len(), counted, "what is counted is not counted again");
}

#[test]
fn an_answer_to_an_older_set_is_not_shown_as_that_of_a_newer_one() {
    let mut rig = Rig::small();
    rig.press("gp");
    rig.cut = true;
    rig.press("jx");
    let first = rig.pull();
    let ticket = first.iter().find_map(|command| match command {
        Command::Try { ticket, .. } => Some(*ticket),
        _ => None,
    });
    rig.press("jjx");
    let event = tried(&rig.engine, ticket.unwrap(), &sheet().words);
    rig.event(event);
    assert!(rig.screen().contains("counting what they would change"), "{}", rig.screen());
}

#[test]
fn where_prompts_cannot_be_read_the_page_says_why_and_edits_nothing() {
    let mut rig = Rig::small();
    let why = "the model resnet has no text tower, so it cannot read prompts; scan with a CLIP model";
    rig.engine.prompts.closed = why.to_owned();
    rig.press("gp");
    assert!(rig.screen().contains("the model resnet has no text tower"), "{}", rig.screen());
    rig.press("a<Enter>xtr");
    assert_eq!((asked(&rig), saved(&rig)), (Vec::new(), Vec::new()));
    assert!(rig.model.typing().is_none());
}

#[test]
fn ten_thousand_classes_are_drawn_as_far_as_they_are_seen() {
    let mut rig = Rig::small();
    let class = |n: u32| SpokenClass { key: format!("class {n}"), names: vec![format!("class {n}")] };
    rig.engine.prompts.classes = (0..10_000).map(class).collect();
    rig.engine.summary.classes = (0..10_000).map(|n| format!("class {n}")).collect();
    let hello = rig.engine.hello();
    rig.event(hello);
    rig.press("gpG");
    assert!(rig.screen().contains("class 9999"), "{}", rig.screen());
    let start = std::time::Instant::now();
    rig.press("gGgGkjkj");
    rig.screen();
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
