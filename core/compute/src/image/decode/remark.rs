//! What decoding a file found that its pixels do not say.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One remark on a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remark {
    /// A picture in a format that is not read: its name.
    NotRead(String),
    /// A part of the picture is lost.
    Damaged(Damage),
    /// 16 bits per channel, which may not all be in use. If the range is less than 16, the picture was stretched, where the
    /// upper byte would have been black.
    Deep {
        /// Bits that the picture uses.
        bits: u8,
        /// Bits by which it is shown: those that the dataset's pictures like it use.
        range: u8,
    },
    /// What it shows is in its transparency, which was dropped: what is left is one flat color.
    Flattened,
}

/// What is lost of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Damage {
    /// Share of the picture that is lost, 0..=1; 0 if unknown.
    pub share: f32,
    /// Where that begins, as a share of the height from the top.
    pub from: f32,
    /// Whether everything from there to the lower edge is lost.
    pub at_end: bool,
    /// Whether there are data that make no sense, rather than none.
    pub garbled: bool,
    /// Whether only detail or color is lost, and a coarse picture is there.
    pub detail: bool,
}

impl Remark {
    /// One sentence about the file, without a full stop.
    pub fn sentence(&self) -> String {
        match self {
            Remark::NotRead(format) => not_read(format),
            Remark::Damaged(damage) => damage.to_string(),
            Remark::Deep { bits, range: 16 } if *bits < 16 => format!(
                "it stores 16 bits per channel and uses {bits} of them, but others of its kind use all 16, so it \
                 was not stretched"
            ),
            Remark::Deep { range: 16, .. } => "it stores 16 bits per channel".to_owned(),
            Remark::Deep { bits, range } if bits == range => {
                format!(
                    "it stores 16 bits per channel and uses {bits} of them, so it was stretched to be seen"
                )
            }
            Remark::Deep { bits, range } => format!(
                "it stores 16 bits per channel and uses {bits} of them; it was stretched like the others of its \
                 kind, which use {range}"
            ),
            Remark::Flattened => {
                "what it shows is in its transparency; without that, it is one flat color".to_owned()
            }
        }
    }
}

/// Videos and documents are not pictures, but hold some.
fn not_read(format: &str) -> String {
    let article =
        if format.starts_with(['A', 'E', 'I', 'O', 'M']) && format != "Matroska video" { "an" } else { "a" };
    match format {
        _ if format.ends_with("video") => format!("it is {article} {format}, and videos are not read"),
        "PDF" | "PostScript" | "DjVu" => format!("it is a {format} document, which is not read"),
        _ => format!("it is a picture in the {format} format, which is not read"),
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.garbled { "garbled" } else { "missing" };
        let lost = Percent(self.share);
        match (self.detail, self.at_end) {
            _ if self.share == 0.0 => f.write_str(
                "its compressed data is garbled, and how much of the picture that hits is not known",
            ),
            (true, _) if self.share >= 1.0 => write!(f, "its finer detail or its color is {what}"),
            (true, true) => write!(f, "the finer detail of the lower {lost} of the picture is {what}"),
            (true, false) => write!(f, "the finer detail of {lost} of the picture is {what}"),
            (false, true) => write!(f, "the lower {lost} of the picture is {what}"),
            (false, false) => {
                let from = Percent(self.from);
                write!(f, "{lost} of the picture is {what}, beginning at {from} of its height")
            }
        }
    }
}

/// A share as people write it.
struct Percent(f32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = f64::from(self.0) * 100.0;
        if percent > 0.0 && percent < 1.0 {
            return f.write_str("1 %");
        }
        write!(f, "{} %", if self.0 < 1.0 { percent.round().min(99.0) } else { 100.0 })
    }
}
