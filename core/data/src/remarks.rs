//! Remarks on files as text, for the files that store them.

use chaffinch_compute::image::decode::Remark;

/// As JSON; empty if there are none.
pub(crate) fn write(remarks: &[Remark]) -> String {
    if remarks.is_empty() { String::new() } else { serde_json::to_string(remarks).unwrap_or_default() }
}

/// What [`write`] wrote. What cannot be read is nothing: the next change of the file brings it back.
pub(crate) fn read(text: &str) -> Vec<Remark> {
    if text.is_empty() { Vec::new() } else { serde_json::from_str(text).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_compute::image::decode::Damage;

    #[test]
    fn remarks_come_back_as_they_were() {
        let damage = Damage { share: 0.1, from: 1.0 / 3.0, at_end: false, garbled: true, detail: false };
        let all = [
            Remark::NotRead("AVIF".into()),
            Remark::Damaged(damage),
            Remark::Deep { bits: 12, range: 14 },
            Remark::Flattened,
        ];
        for some in [&all[..], &all[1..2], &[]] {
            assert_eq!(read(&write(some)), some);
        }
        assert_eq!(read("nonsense"), []);
    }
}
