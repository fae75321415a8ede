//! Pictures for the screen, decoded on separate threads. A newer request for a slot replaces an older one that has not
//! started, so that a held key never builds a queue.

use super::light::Light;
use super::outline::{self, Outline};
use crate::outlet::Outlet;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::decode::{Decoded, Rendering};
use chaffinch_compute::image::thumbnail;
use chaffinch_compute::memory;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::Source;
use chaffinch_data::pictures;
use chaffinch_protocol::display;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Event, Picture, Ticket};
use chaffinch_review::explanation::overlay;
use image::RgbImage;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// One request.
pub(crate) struct Request {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) ticket: Ticket,
    pub(crate) slot: u32,
    pub(crate) sample: SampleId,
    pub(crate) fit: (u32, u32),
    /// Only a part at full resolution, around this position as fractions of the picture.
    pub(crate) part: Option<(u16, u16)>,
    /// What its contents were when it was scanned: what is decided is about them, and nothing else is shown.
    pub(crate) known: Option<ContentHash>,
    /// What is drawn over it.
    pub(crate) outlines: Vec<Outline>,
    /// What it is lit by.
    pub(crate) light: Option<Light>,
}

impl Request {
    /// For a picture of that size, or the part of one around a position, with nothing drawn over it.
    pub(crate) fn new(
        manifest: Arc<Manifest>,
        (ticket, slot): (Ticket, u32),
        sample: SampleId,
        fit: (u32, u32),
        part: Option<(u16, u16)>,
    ) -> Request {
        Request { manifest, ticket, slot, sample, fit, part, known: None, outlines: Vec::new(), light: None }
    }
}

#[derive(Default)]
struct Queue {
    /// Newest request by slot; slot 0 is the main picture and goes first.
    waiting: BTreeMap<u32, Request>,
    /// Pictures whose parts were shown last, since more parts of them are likely to follow.
    whole: VecDeque<(Of, Arc<RgbImage>)>,
    closed: bool,
}

/// Whose picture it is: a place, and what was there when it was scanned.
type Of = (PathBuf, Option<ContentHash>);

/// The queue for pictures.
pub(crate) struct Pictures {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    threads: Vec<JoinHandle<()>>,
}

const THREADS: usize = 2;

/// Number of whole pictures kept: two, for comparing.
const WHOLE: usize = 2;

/// Maximum side sent to a client: more than any terminal shows, small enough for a socket.
const MAX_SIDE: u32 = 2048;

impl Pictures {
    pub(crate) fn start(events: &Outlet) -> Pictures {
        let queue: Arc<(Mutex<Queue>, Condvar)> = Arc::default();
        let threads = (0..THREADS)
            .map(|_| {
                let (queue, events) = (queue.clone(), events.clone());
                thread::spawn(move || serve(&queue, &events))
            })
            .collect();
        Pictures { queue, threads }
    }

    pub(crate) fn ask(&self, request: Request) {
        let (queue, wake) = &*self.queue;
        queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.insert(request.slot, request);
        wake.notify_one();
    }

    pub(crate) fn stop(self) {
        let (queue, wake) = &*self.queue;
        {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.closed = true;
            queue.waiting.clear();
        }
        wake.notify_all();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn serve(queue: &(Mutex<Queue>, Condvar), events: &Outlet) {
    let mut told = None;
    loop {
        let request = {
            let mut guard = queue.0.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if guard.closed {
                    return;
                }
                if let Some((_, request)) = guard.waiting.pop_first() {
                    break request;
                }
                guard = queue.1.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let (picture, trouble) = paint(&request, &queue.0);
        if let Some(message) = trouble.filter(|message| told.as_ref() != Some(message)) {
            // Once, not for each picture.
            told = Some(message.clone());
            let _ = events.send(Event::Trouble { about: "relevance".into(), message });
        }
        if events.send(Event::Picture(picture)).is_err() {
            return;
        }
    }
}

/// The picture, and why it is not lit where it should be.
fn paint(request: &Request, queue: &Mutex<Queue>) -> (Picture, Option<String>) {
    let mut picture = Picture {
        ticket: request.ticket,
        slot: request.slot,
        sample: request.sample,
        width: 0,
        height: 0,
        rgb: Vec::new(),
        whole: (0, 0),
        error: None,
    };
    if request.sample.index() >= request.manifest.len() {
        picture.error = Some("there is no such sample".into());
        return (picture, None);
    }
    let (source, rendering) = (request.manifest.source(request.sample), request.manifest.rendering());
    let (width, height) = (request.fit.0.clamp(1, MAX_SIDE), request.fit.1.clamp(1, MAX_SIDE));
    let unwanted = || queue.lock().unwrap_or_else(PoisonError::into_inner).closed;
    let light = |image: &RgbImage| request.light.as_ref().map(|light| light.map(image, &unwanted));
    let shown = match request.part {
        None => {
            let fit = |decoded: Decoded| {
                let small = thumbnail::fit(&decoded.image, width, height);
                (decoded.image.dimensions(), (0, 0), small, light(&decoded.image))
            };
            read(&source, rendering, request.known).map(fit)
        }
        Some(middle) => held(&source, rendering, request.known, queue).map(|image| {
            let (corner, part) = part(&image, middle, width, height);
            (image.dimensions(), corner, part, light(&image))
        }),
    };
    let mut trouble = None;
    match shown {
        Ok((whole, corner, mut image, light)) => {
            match light {
                Some(Ok(map)) if request.part.is_some() => {
                    image = overlay(&image, &map.within(whole, corner, image.dimensions()));
                }
                Some(Ok(map)) => image = overlay(&image, &map),
                Some(Err(error)) => trouble = Some(display::safe_text(&error.to_string()).into_owned()),
                None => {}
            }
            // A part has the pixels of the whole; otherwise all of it is there.
            let shown_as = if request.part.is_some() { whole } else { image.dimensions() };
            outline::draw(&mut image, &request.outlines, shown_as, corner);
            picture.whole = whole;
            (picture.width, picture.height) = image.dimensions();
            picture.rgb = image.into_raw();
        }
        Err(error) => picture.error = Some(display::safe_text(&error).into_owned()),
    }
    (picture, trouble)
}

fn read(source: &Source<'_>, rendering: Rendering, known: Option<ContentHash>) -> Result<Decoded, String> {
    let decoded = match known {
        Some(hash) => pictures::decode_known(source, rendering, hash),
        None => pictures::decode(source, rendering),
    };
    decoded.map_err(|error| error.to_string())
}

/// The whole picture, read again only if it is not cached.
fn held(
    source: &Source<'_>,
    rendering: Rendering,
    known: Option<ContentHash>,
    queue: &Mutex<Queue>,
) -> Result<Arc<RgbImage>, String> {
    let of = (source.shown(), known);
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, image)) = lock().whole.iter().find(|(held, _)| *held == of) {
        return Ok(image.clone());
    }
    let image = Arc::new(read(source, rendering, known)?.image);
    let mut queue = lock();
    queue.whole.push_back((of, image.clone()));
    let bytes = |whole: &VecDeque<(_, Arc<RgbImage>)>| -> usize {
        whole.iter().map(|(_, image)| image.as_raw().len()).sum()
    };
    while queue.whole.len() > WHOLE || bytes(&queue.whole) > memory::shares().kept() {
        queue.whole.pop_front();
    }
    Ok(image)
}

/// A part of this size around a position, shifted inwards at the borders, and its upper left corner.
fn part(image: &RgbImage, middle: (u16, u16), width: u32, height: u32) -> ((u32, u32), RgbImage) {
    let side = |share: u16, length: u32, whole: u32| {
        let length = length.min(whole);
        let center = (u64::from(share) * u64::from(whole) / u64::from(u16::MAX)) as u32;
        (center.saturating_sub(length / 2).min(whole - length), length)
    };
    let (left, width) = side(middle.0, width, image.width());
    let (top, height) = side(middle.1, height, image.height());
    ((left, top), image::imageops::crop_imm(image, left, top, width, height).to_image())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_inside_and_show_the_very_pixels() {
        let image = RgbImage::from_fn(100, 60, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let corner = |middle, width, height| {
            let (_, part) = part(&image, middle, width, height);
            (part.dimensions(), part.get_pixel(0, 0).0)
        };
        assert_eq!(corner((0, 0), 20, 10), ((20, 10), [0, 0, 7]));
        assert_eq!(corner((u16::MAX, u16::MAX), 20, 10), ((20, 10), [80, 50, 7]));
        assert_eq!(corner((u16::MAX / 2, u16::MAX / 2), 20, 10), ((20, 10), [39, 24, 7]));
        assert_eq!(corner((9, 9), 500, 10).0, (100, 10));
    }
}
