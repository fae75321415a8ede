//! The model for searches by meaning: loaded when the first text is typed, on a thread of its own, and kept with the
//! vectors of what was typed.

use crate::given::StandIn;
use crate::{Error, ModelLoader, Result, Setup};
use chaffinch_compute::cut_texts;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::image::decode::Rendering;
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::pictures;
use chaffinch_data::session::Session;
use chaffinch_data::uses::{LoadedModel, Uses};
use chaffinch_formats::embeddings::{TextVectors, read_texts};
use chaffinch_host::class_vectors::ClassVectors;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::explanation::{self, Map};
use chaffinch_review::meaning::Towers;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// While a model is loaded, this often it is asked whether it is still waited for.
const LOOK: Duration = Duration::from_millis(20);
/// The most texts whose vectors are kept.
const KEPT: usize = 4096;

/// What the model is doing.
enum Loading {
    Idle,
    Running,
    Ready(Arc<dyn Embedder>),
    Failed(String),
}

/// The model of a session, loaded when it is first needed.
pub struct Reader {
    /// Its name, for messages.
    name: String,
    load: ModelLoader,
    state: Mutex<Loading>,
    changed: Condvar,
    texts: Mutex<BTreeMap<String, Vec<f32>>>,
}

/// What waits for a vector.
pub struct Asking<'a> {
    /// The model that made the vectors of the samples; `None` if there are none.
    pub loaded: Option<LoadedModel>,
    /// What the texts of all classes have in common, if the model knows them. A text counts by what sets it apart from
    /// that: between texts and pictures, the rest is the same for all pictures or depends on what was not asked for.
    pub common: Option<Vec<f32>>,
    /// How the samples are decoded.
    pub rendering: Rendering,
    /// Told once if the model has to be loaded first.
    pub slow: &'a (dyn Fn(&str) + Sync),
    /// Told if the model reads only the beginning of a text.
    pub cut: &'a (dyn Fn(&str) + Sync),
    /// Whether the answer is no longer wanted.
    pub unwanted: Unwanted<'a>,
}

/// What is looked for in a picture.
pub(crate) enum Toward {
    /// A direction among the embeddings.
    Direction(Vec<f32>),
    /// The vector of a class.
    Class(Vec<f32>),
    /// The name of a class whose vector is not known.
    Text(String),
}

impl Reader {
    /// For the model that `load` loads, which may be slow.
    pub fn new(name: &str, load: ModelLoader) -> Reader {
        Reader {
            name: name.to_owned(),
            load,
            state: Mutex::new(Loading::Idle),
            changed: Condvar::new(),
            texts: Mutex::default(),
        }
    }

    /// For a session: what stands in for a model if the vectors are from elsewhere.
    pub(crate) fn of_setup(setup: &Arc<Setup>) -> Reader {
        let name = setup.uses.model_words().unwrap_or_default().to_owned();
        let setup = setup.clone();
        Reader::new(&name, Arc::new(move || model(&setup.session, &setup.uses, &setup.model)))
    }

    /// The towers for one expression.
    pub fn towers<'a>(self: &'a Arc<Reader>, asking: Asking<'a>) -> impl Towers + 'a {
        Waiting { reader: self, asking }
    }

    /// Where in a picture the model sees something.
    pub(crate) fn explain(
        self: &Arc<Reader>,
        asking: Asking<'_>,
        picture: &RgbImage,
        toward: &Toward,
    ) -> Result<Map> {
        let waiting = Waiting { reader: self, asking };
        let model = waiting.model()?;
        if !model.sees() {
            return Err(Error::Invalid(format!(
                "the {} were computed elsewhere, so there is no model here to explain",
                safe_text(model.name())
            )));
        }
        let direction = match toward {
            Toward::Direction(direction) => direction.clone(),
            Toward::Class(class) => class.clone(),
            Toward::Text(name) => model.embed_texts(&[&format!("a photo of a {name}")])?,
        };
        let maps = explanation::explain(&*model, picture, &[direction])?;
        maps.into_iter().next().ok_or_else(|| Error::Invalid("there is nothing to look for".into()))
    }

    /// The model once it is loaded; begins to load it.
    fn model(self: &Arc<Reader>, asking: &Asking<'_>) -> Result<Arc<dyn Embedder>> {
        let mut state = lock(&self.state);
        let mut told = false;
        loop {
            match &*state {
                Loading::Ready(model) => return Ok(model.clone()),
                Loading::Failed(why) => {
                    let error = Error::Invalid(why.clone());
                    // Asked again, it is tried again: a network may be there then.
                    *state = Loading::Idle;
                    return Err(error);
                }
                Loading::Idle => {
                    let reader = self.clone();
                    let work = move || reader.finish();
                    std::thread::Builder::new()
                        .name("model".into())
                        .spawn(work)
                        .map_err(Error::io("start", "the thread that loads the model"))?;
                    *state = Loading::Running;
                }
                Loading::Running => {
                    if !std::mem::replace(&mut told, true) {
                        let name = safe_text(&self.name);
                        let blank = if name.is_empty() { "" } else { " " };
                        (asking.slow)(&format!("loading the model{blank}{name} …"));
                    }
                    let waited = self.changed.wait_timeout(state, LOOK);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    if (asking.unwanted)() {
                        return Err(Error::Stopped);
                    }
                }
            }
        }
    }

    /// Loads the model.
    fn finish(&self) {
        let loaded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.load)()));
        let state = match loaded {
            Ok(Ok(model)) => Loading::Ready(model),
            Ok(Err(error)) => Loading::Failed(format!("cannot search by meaning: {error}")),
            Err(_) => Loading::Failed("cannot search by meaning: loading the model panicked".to_owned()),
        };
        *lock(&self.state) = state;
        self.changed.notify_all();
    }
}

/// [`Reader::towers`].
struct Waiting<'a> {
    reader: &'a Arc<Reader>,
    asking: Asking<'a>,
}

/// A text that is nearer to what all classes have in common says nothing else.
const APART: f32 = 1e-3;

impl Waiting<'_> {
    /// What sets a text apart from the texts of all classes.
    fn apart(&self, text: &[f32]) -> Vec<f32> {
        let common = self.asking.common.as_ref().filter(|common| common.len() == text.len());
        let Some(common) = common else { return text.to_vec() };
        let apart: Vec<f32> = text.iter().zip(common).map(|(text, common)| text - common).collect();
        if apart.iter().map(|x| x * x).sum::<f32>() > APART * APART { apart } else { text.to_vec() }
    }

    /// The model, if it is the one that made the vectors of the samples.
    fn model(&self) -> Result<Arc<dyn Embedder>> {
        let model = self.reader.model(&self.asking)?;
        let Some(loaded) = &self.asking.loaded else {
            return Err(Error::Invalid("no picture has been embedded yet; scan first".into()));
        };
        if model.fingerprint().as_str() != loaded.fingerprint {
            let (now, then) = (safe_text(model.name()), safe_text(&loaded.name));
            return Err(Error::Invalid(match now == then {
                true => {
                    format!("{now} is not the model it was in the last scan; scan again to search by meaning")
                }
                false => format!(
                    "the pictures were embedded with {then}, but {now} is to be used now; scan first to search by meaning"
                ),
            }));
        }
        Ok(model)
    }
}

impl Towers for Waiting<'_> {
    fn text(&self, text: &str) -> Result<Vec<f32>> {
        let model = self.model()?;
        let texts = || lock(&self.reader.texts);
        if let Some(known) = texts().get(text) {
            return Ok(self.apart(known));
        }
        if let Some(words) = cut_texts::words(&*model, [text]) {
            (self.asking.cut)(&words);
        }
        // Each by itself: in a batch with others, a text may get other bytes.
        let vector = model.embed_texts(&[text])?;
        if !vector.iter().all(|x| x.is_finite()) {
            let text = safe_text(text);
            return Err(Error::Invalid(format!("the model has no finite vector for '{text}'")));
        }
        let mut texts = texts();
        if texts.len() >= KEPT {
            texts.clear();
        }
        let apart = self.apart(&vector);
        texts.insert(text.to_owned(), vector);
        Ok(apart)
    }

    fn picture(&self, path: &Path) -> Result<Vec<f32>> {
        let image = pictures::decode_file(path, self.asking.rendering)?.image;
        let model = self.model()?;
        if !model.sees() {
            let name = safe_text(model.name());
            return Err(Error::Invalid(format!(
                "the {name} cannot embed {}: they were computed elsewhere; scan with --model to search by a picture from \
                 outside",
                safe_path(path)
            )));
        }
        let vector = model.embed_images(&model.preprocess(&image), 1)?;
        match vector.iter().all(|x| x.is_finite()) {
            true => Ok(vector),
            false => Err(Error::format(path, "the model has no finite vector for it")),
        }
    }
}

/// The model of a session; or what stands in for one whose vectors are from elsewhere.
///
/// # Errors
/// When the model cannot be loaded, or the session has lost what it kept.
pub fn model(session: &Session, uses: &Uses, load: &ModelLoader) -> Result<Arc<dyn Embedder>> {
    match &uses.embeddings {
        Some(_) => Ok(Arc::new(StandIn::kept(session.uses().loaded, kept_texts(session)?)?)),
        None => load(),
    }
}

/// What the texts of all classes have in common, as the last scan left it.
pub fn common(session: &Session, loaded: Option<&LoadedModel>, classes: &[String]) -> Option<Vec<f32>> {
    let vectors = ClassVectors::load(&session.class_vectors_path()).ok()?;
    loaded.filter(|loaded| vectors.fits(&loaded.fingerprint, classes)).and_then(|_| vectors.common())
}

/// The vectors of texts that came with embeddings from elsewhere.
pub(crate) fn kept_texts(session: &Session) -> Result<Option<TextVectors>> {
    let path = session.text_vectors_path();
    if path.is_file() { read_texts(&path).map(Some) } else { Ok(None) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
