//! Names that no detector and no parameter of one can have: where names are written, these mean something else.

use crate::config::SETTINGS;
use crate::config::renamed::name_now;
use crate::issue::is_built_in;

/// The word for the usual detectors, where detectors are named.
pub const USUAL: &str = "default";

/// The key in a detector's section of the configuration that is no parameter.
pub const THRESHOLD: &str = "threshold";

/// The section of the configuration with those of the detectors in it.
const SECTION: &str = "detectors";

/// What the name of a detector means already, as a clause; `None` if it is free.
pub fn detector(name: &str) -> Option<String> {
    if is_built_in(name) {
        return Some("it is what the program calls something that it finds itself, in every scan".into());
    }
    if name == USUAL {
        return Some(format!("--detectors {USUAL} stands for the usual detectors"));
    }
    let key = SETTINGS.iter().find(|setting| setting.section == SECTION && setting.key == name);
    key.map(|_| format!("{name} under [{SECTION}] is a setting"))
}

/// What the name of a parameter means already, as a clause; `None` if it is free.
pub fn parameter(name: &str) -> Option<String> {
    if name == THRESHOLD {
        let means = "is the score below which samples are flagged, which every detector has";
        return Some(format!("{THRESHOLD} under [{SECTION}.NAME] {means}"));
    }
    let now = name_now(name);
    (now != name).then(|| format!("{name} under [{SECTION}.NAME] is read as {now}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_is_taken() {
        for name in ["unreadable", "damaged", "default", "enabled", "disabled"] {
            assert!(detector(name).is_some(), "{name}");
        }
        for name in ["threshold", "no-colour"] {
            assert!(parameter(name).is_some(), "{name}");
        }
        assert_eq!((detector("threshold"), detector("odd")), (None, None));
        assert_eq!((parameter("enabled"), parameter("limit")), (None, None));
        // Every key of the section of detectors, whatever is added to it.
        for setting in SETTINGS.iter().filter(|setting| setting.section == "detectors") {
            assert!(detector(setting.key).is_some(), "{}", setting.key);
        }
    }
}
