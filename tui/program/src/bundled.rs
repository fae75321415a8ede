//! Which of the two bundled models suits a dataset's pictures.

use super::output::remark;
use chaffinch_clip::{Bundled, SMALL_SIDE};
use chaffinch_compute::image::header::shorter_side;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::Container;
use chaffinch_data::uses::Uses;
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::sample::SampleId;
use std::thread;

/// Pictures whose headers are read to decide.
const PROBED: usize = 99;

/// A model chosen for pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    model: Bundled,
    /// The median of the pictures' shorter sides; `None` if no picture could be read.
    side: Option<u32>,
}

impl Choice {
    /// For pictures with these shorter sides.
    fn for_sides(sides: impl IntoIterator<Item = u32>) -> Choice {
        let mut sides: Vec<u32> = sides.into_iter().filter(|side| *side > 0).collect();
        let middle = sides.len() / 2;
        let side = (!sides.is_empty()).then(|| *sides.select_nth_unstable(middle).1);
        Choice { model: side.map_or(Bundled::Photo, Bundled::for_side), side }
    }

    /// For pictures of these sizes.
    pub(super) fn for_sizes(sizes: impl IntoIterator<Item = Dimensions>) -> Choice {
        Choice::for_sides(sizes.into_iter().map(|size| size.width.min(size.height)))
    }

    /// For a dataset that was not looked at yet: by the headers of pictures from all parts of it.
    pub(super) fn for_manifest(manifest: &Manifest) -> Choice {
        let count = manifest.len();
        let probed = count.min(PROBED);
        let rows = (0..probed).map(|number| SampleId((number * count / probed) as u32));
        let rows: Vec<SampleId> = rows.collect();
        let side = |id: &SampleId| shorter_side(manifest.source(*id).open().ok()?);
        let remote =
            manifest.packing().is_some_and(|packing| packing.containers().iter().any(Container::is_remote));
        if !remote {
            return Choice::for_sides(rows.iter().filter_map(side));
        }
        // A network is waited for, so all are asked for at once.
        let sides = thread::scope(|scope| {
            let asked: Vec<_> = rows.iter().map(|id| scope.spawn(move || side(id))).collect();
            asked.into_iter().filter_map(|asked| asked.join().ok().flatten()).collect::<Vec<u32>>()
        });
        Choice::for_sides(sides)
    }

    /// The name of the chosen model.
    pub(super) fn name(self) -> &'static str {
        self.model.name()
    }

    /// Says which model it is and why.
    pub(super) fn tell(self) {
        let Some(side) = self.side else { return };
        let other = Bundled::ALL.into_iter().find(|model| *model != self.model).unwrap_or(self.model);
        let size = match self.model {
            Bundled::Photo => format!("more than {SMALL_SIDE} pixels"),
            Bundled::Small => format!("at most {SMALL_SIDE} pixels"),
        };
        remark(&format!(
            "using the model {}, for {}: the typical shorter side is {side} pixels, which is {size}; for {} use \
             --model {}",
            self.model,
            self.model.purpose(),
            other.purpose(),
            other
        ));
    }
}

/// The bundled model with which a session was scanned; `None` if it was another model, or none. A session stays with its
/// model when pictures are added.
pub(super) fn kept(uses: &Uses) -> Option<Bundled> {
    match uses.loaded.as_ref()?.name.as_str() {
        // Before there were two.
        Bundled::EITHER => Some(Bundled::Small),
        name => Bundled::parse(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::uses::LoadedModel;

    #[test]
    fn the_typical_picture_decides() {
        let name = |sides: &[u32]| Choice::for_sides(sides.iter().copied()).name();
        assert_eq!(name(&[]), "bundled-photo");
        assert_eq!(name(&[0, 0, 32]), "bundled-small");
        assert_eq!(name(&[32, 64, 400]), "bundled-small");
        assert_eq!(name(&[32, 65, 400]), "bundled-photo");
    }

    #[test]
    fn a_session_stays_with_its_model() {
        let uses = |name: &str| Uses {
            loaded: Some(LoadedModel { name: name.into(), ..LoadedModel::default() }),
            ..Uses::default()
        };
        assert_eq!(kept(&uses("bundled")), Some(Bundled::Small));
        assert_eq!(kept(&uses("bundled-photo")), Some(Bundled::Photo));
        assert_eq!(kept(&uses("bundled-small")), Some(Bundled::Small));
        assert_eq!(kept(&uses("owner/name")), None);
        assert_eq!(kept(&Uses::default()), None);
    }
}
