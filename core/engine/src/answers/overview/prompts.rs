//! The prompts of the classes, for editing.

use super::{Known, forms};
use crate::Setup;
use crate::given::StandIn;
use crate::meaning::kept_texts;
use crate::outdated;
use crate::state::State;
use chaffinch_data::prompts::PromptSet;
use chaffinch_host::class_vectors::ClassVectors;
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::{FormParam, PromptSheet, TEMPERATURE};

/// The set in use and what belongs to it.
pub(super) fn sheet(setup: &Setup, state: &State, known: &Known) -> PromptSheet {
    let (session, classes) = (&setup.session, state.findings.manifest.classes());
    let own = session.prompts_path().exists();
    // A set that cannot be read can be reset.
    let (set, damaged) = match session.prompts(&setup.prompts) {
        Ok(set) => (set, None),
        Err(error) => (setup.prompts.clone(), Some(safe_text(&error.to_string()).into_owned())),
    };
    let detector = setup.finders.prompts;
    let temperature = forms::param(setup, known, detector, TEMPERATURE);
    let moved = known.params.get(detector).is_some_and(|params| params.contains_key(TEMPERATURE));
    PromptSheet {
        detector: detector.to_owned(),
        words: set.edited(),
        classes: classes.iter().map(|name| set.spoken_class(name)).collect(),
        origin: match own {
            true => "edited in this session".to_owned(),
            false => PromptSet::origin(setup.config.prompt_files()),
        },
        own: own || moved,
        outdated: is_outdated(state, detector, &set, temperature.as_ref()),
        temperature,
        closed: damaged.unwrap_or_else(|| closed(setup, state)),
        remark: remark(setup, &set, classes),
    }
}

/// Whether the flags of the detector are of another set or of another temperature.
fn is_outdated(state: &State, detector: &str, set: &PromptSet, temperature: Option<&FormParam>) -> bool {
    let Some(result) = state.findings.results.get(detector) else { return false };
    let record = result.record();
    let now = outdated::Now { prompts: &set.digest(), ..Default::default() };
    let ran_with = record.params.get(TEMPERATURE).map(ToString::to_string);
    let other = |param: &FormParam| ran_with.is_some_and(|ran_with| ran_with != param.value.to_string());
    outdated::why(result, "", now).is_some() || temperature.is_some_and(other)
}

/// Why there is nothing to edit; empty if there is.
fn closed(setup: &Setup, state: &State) -> String {
    let (session, uses) = (&setup.session, setup.session.uses());
    if state.findings.manifest.classes().is_empty() {
        return "the dataset has no classes, so there are no prompts about them".to_owned();
    }
    let Some(loaded) = uses.loaded else {
        return "no picture has been embedded yet: prompts are compared with pictures once a scan has read them"
            .to_owned();
    };
    if setup.uses.embeddings.is_some() {
        let texts = kept_texts(session).ok().flatten();
        let stand_in = StandIn::kept(Some(loaded), texts);
        return match stand_in.map(|stand_in| stand_in.no_texts()) {
            Ok(why) => why.unwrap_or_default(),
            Err(error) => safe_text(&error.to_string()).into_owned(),
        };
    }
    // The last scan left the vectors of the classes, if the model reads texts.
    let is_of = |vectors: &ClassVectors| vectors.fingerprint() == loaded.fingerprint;
    let stored = || ClassVectors::load(&session.class_vectors_path()).is_ok_and(|vectors| is_of(&vectors));
    match state.findings.class_vectors.as_deref().is_some_and(is_of) || stored() {
        true => String::new(),
        false => format!(
            "the model {} has no text tower, so it cannot read prompts; scan with a CLIP model, such as --model bundled-photo",
            safe_text(&loaded.name)
        ),
    }
}

/// What else should be known: which texts count, and that names are no words.
fn remark(setup: &Setup, set: &PromptSet, classes: &[String]) -> String {
    if setup.uses.embeddings.is_some() {
        return "only texts count that the text embeddings have a vector for".to_owned();
    }
    if let Some(why) = set.nameless(classes) {
        return why;
    }
    match set.warnings().len() as u64 {
        0 => String::new(),
        some => {
            let first = set.warnings().first().map(String::as_str).unwrap_or_default();
            format!("{}: {}", counted(some, "warning", "warnings"), safe_text(first))
        }
    }
}
