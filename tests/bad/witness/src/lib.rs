//! A well-behaved detector, to show that it continues next to those that are not.
use chaffinch_plugin::prelude::*;

/// Scores images by their brightness.
struct Witness;

impl SampleDetector for Witness {
    const INFO: Info = Info::new("witness", "Images that are dark").threshold(0.3);

    fn inspect(&self, pixels: &Pixels<'_>, _view: &View<'_>) -> Result<Finding> {
        let mean = pixels.rgb.iter().map(|&p| f32::from(p)).sum::<f32>() / pixels.rgb.len().max(1) as f32;
        Ok(Finding::new(Score::clamp(mean / 255.0)?)
            .reason(format!("Its mean brightness is {mean:.0} of 255.")))
    }
}

export_detector!(Witness);
