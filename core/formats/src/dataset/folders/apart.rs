//! Tables in folders above each other that say different things of a picture.

use crate::tally::Tally;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::path::Path;

/// Rows that say something else than those of a table in a folder above.
#[derive(Default)]
pub(super) struct Apart(Tally<String>);

impl Apart {
    /// Adds a picture, with what the row says and what the table above says.
    pub(super) fn add(&mut self, picture: &Path, (new, old): (&str, &str), above: &Path) {
        self.0.add(|| {
            let (picture, above) = (safe_path(picture), safe_path(above));
            format!("{picture} ('{}', but '{}' in {above})", excerpt(new), excerpt(old))
        });
    }

    /// Says how many there are in the table `shown`.
    pub(super) fn tell(&self, what: &str, shown: &str, ledger: &mut Ledger) {
        let Some((count, first)) = self.0.told() else { return };
        let rows = counted(count, "row of", "rows of");
        let verb = if count == 1 { "gives" } else { "give" };
        let text = format!(
            "{rows} {shown} {verb} another {what} than a table in a folder above, and the nearer table counts: {first}"
        );
        ledger.add(RemarkKind::LayoutDoubtful, count, text);
    }
}
