//! Pictures in a program's output: kitty's commands carried out, and the files in iTerm2 and sixel sequences.

use image::RgbImage;
use std::collections::BTreeMap;

/// The state of a terminal with kitty graphics after all output.
#[derive(Clone, Debug, Default)]
pub struct Kitty {
    /// Pictures it holds, by number.
    pub images: BTreeMap<u32, RgbImage>,
    /// What is shown: placement and picture, with columns and rows.
    pub placed: BTreeMap<(u32, u32), (u32, u32)>,
    /// Pictures that were ever sent completely, with the bytes they took.
    pub sent: Vec<usize>,
    /// Commands that the protocol does not allow at their position.
    pub wrong: Vec<String>,
}

/// The sequences with this introducer, without introducer and terminator.
fn sequences(tap: &[u8], start: &str, end: &str) -> Vec<Vec<u8>> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(found) = find(&tap[at..], start.as_bytes()) {
        let body = at + found + start.len();
        let Some(length) = find(&tap[body..], end.as_bytes()) else { break };
        out.push(tap[body..body + length].to_vec());
        at = body + length + end.len();
    }
    out
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Base64 to bytes; anything else is skipped.
pub fn unbase64(text: &[u8]) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for six in text.iter().filter_map(|byte| value(*byte)) {
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

impl Kitty {
    /// Carries out every command.
    pub fn read(tap: &[u8]) -> Kitty {
        let mut kitty = Kitty::default();
        let mut receiving: Option<(BTreeMap<String, String>, Vec<u8>)> = None;
        for command in sequences(tap, "\x1b_G", "\x1b\\") {
            let text = String::from_utf8_lossy(&command).into_owned();
            let (keys, payload) = text.split_once(';').unwrap_or((&text, ""));
            let keys: BTreeMap<String, String> = keys
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let number = |key: &str| keys.get(key).and_then(|value| value.parse::<u32>().ok()).unwrap_or(0);
            match keys.get("a").map(String::as_str) {
                Some("q") => continue,
                Some("t" | "T") | None => {
                    let more = number("m") == 1;
                    if keys.contains_key("a") {
                        if receiving.is_some() {
                            kitty.wrong.push(format!("another picture begins within one: {text:.60}"));
                        }
                        receiving = Some((keys, Vec::new()));
                    }
                    if let Some((_, data)) = &mut receiving {
                        data.extend_from_slice(payload.as_bytes());
                    }
                    if !more && let Some((keys, data)) = receiving.take() {
                        kitty.receive(&keys, &data);
                    }
                }
                Some(action) => {
                    if receiving.is_some() {
                        kitty.wrong.push(format!("a command within a picture: {text:.60}"));
                    }
                    let (id, place) = (number("i"), number("p"));
                    match (action, keys.get("d").map(String::as_str)) {
                        ("p", _) if !kitty.images.contains_key(&id) => {
                            kitty.wrong.push(format!("picture {id} is placed and not there"));
                        }
                        ("p", _) => drop(kitty.placed.insert((place, id), (number("c"), number("r")))),
                        ("d", Some("i")) => drop(kitty.placed.remove(&(place, id))),
                        ("d", Some("I")) => {
                            kitty.images.remove(&id);
                            kitty.placed.retain(|(_, placed), _| *placed != id);
                        }
                        _ => kitty.wrong.push(format!("what is {text:.60}")),
                    }
                }
            }
        }
        kitty
    }

    fn receive(&mut self, keys: &BTreeMap<String, String>, data: &[u8]) {
        // An aborted transmission is not a picture.
        if let Ok(image) = image::load_from_memory(&unbase64(data)) {
            let id = keys.get("i").and_then(|id| id.parse().ok()).unwrap_or(0);
            self.images.insert(id, image.into_rgb8());
            self.sent.push(data.len());
        }
    }

    /// The picture at a placement, and its cells.
    pub fn at(&self, place: u32) -> Option<(&RgbImage, (u32, u32))> {
        let mut here = self.placed.iter().filter(|((at, _), _)| *at == place);
        let ((_, id), cells) = here.next_back()?;
        Some((self.images.get(id)?, *cells))
    }
}

/// The files that iTerm2 would show, decoded.
pub fn iterm(tap: &[u8]) -> Vec<RgbImage> {
    let files = sequences(tap, "\x1b]1337;File=", "\x07");
    let data = files.iter().filter_map(|file| Some(&file[file.iter().position(|byte| *byte == b':')? + 1..]));
    data.map(|data| image::load_from_memory(&unbase64(data)).unwrap().into_rgb8()).collect()
}

/// Width and height of the sixel pictures, by their raster attributes.
pub fn sixels(tap: &[u8]) -> Vec<(u32, u32)> {
    let strings = sequences(tap, "\x1bP0;1;0q\"1;1;", "\x1b\\");
    let size = |body: &Vec<u8>| {
        let text = String::from_utf8_lossy(body).into_owned();
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    };
    strings.iter().map(size).collect()
}
