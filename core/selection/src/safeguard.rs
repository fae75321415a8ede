//! No class is left without a sample.

/// A class that would have been left empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// The class.
    pub class: u32,
    /// How many samples were put into it.
    pub samples: usize,
}

/// Puts the best samples of each class that has labels and no selected sample into the selection: as many as the
/// smallest other class has, and at least the number of samples over the square of the number of classes; all where
/// there are fewer. The best are those of the highest `score`, ties in sample order; samples whose score is NaN cannot
/// be judged and are not taken.
///
/// # Panics
/// When the three lists differ in length.
pub fn fill_empty_classes(
    selected: &mut [bool],
    labels: &[u32],
    classes: usize,
    score: &[f64],
) -> Vec<Filled> {
    assert_eq!(
        (selected.len(), selected.len()),
        (labels.len(), score.len()),
        "one label and one score a sample"
    );
    let mut counts = vec![0_usize; classes];
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for (sample, &label) in (0_u32..).zip(labels) {
        let index = sample as usize;
        if let Some(members) = members.get_mut(label as usize).filter(|_| !score[index].is_nan()) {
            members.push(sample);
            counts[label as usize] += usize::from(selected[index]);
        }
    }
    let judged: usize = members.iter().map(Vec::len).sum();
    let smallest = counts.iter().copied().filter(|&count| count > 0).min().unwrap_or(0);
    let wanted = smallest.max(judged / (classes * classes).max(1)).max(1);
    let mut filled = Vec::new();
    for (class, mut members) in (0_u32..).zip(members) {
        if counts[class as usize] > 0 || members.is_empty() {
            continue;
        }
        members.sort_by(|&a, &b| score[b as usize].total_cmp(&score[a as usize]).then(a.cmp(&b)));
        members.truncate(wanted);
        members.iter().for_each(|&sample| selected[sample as usize] = true);
        filled.push(Filled { class, samples: members.len() });
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_class_gets_its_best_samples() {
        let labels = [0, 0, 0, 1, 1, 1, 1, 2];
        let mut selected = [true, true, false, false, false, false, false, true];
        // Class 2 has one selected sample, so class 1 gets one: the best it has.
        let filled = fill_empty_classes(&mut selected, &labels, 3, &[0.9, 0.8, 0.1, 0.2, 0.7, 0.3, 0.7, 0.5]);
        assert_eq!(filled, [Filled { class: 1, samples: 1 }]);
        assert_eq!(selected, [true, true, false, false, true, false, false, true]);
    }

    #[test]
    fn at_least_an_even_share_is_taken_and_never_more_than_there_are() {
        // 16 samples of 2 classes: four at least, of three that there are.
        let labels: Vec<u32> = (0..16).map(|sample| u32::from(sample >= 13)).collect();
        let mut selected: Vec<bool> = (0..16).map(|sample| sample == 0).collect();
        let score: Vec<f64> = (0..16).map(f64::from).collect();
        assert_eq!(fill_empty_classes(&mut selected, &labels, 2, &score), [Filled { class: 1, samples: 3 }]);
        let labels: Vec<u32> = (0..16).map(|sample| sample / 8).collect();
        let mut selected: Vec<bool> = (0..16).map(|sample| sample == 0).collect();
        assert_eq!(fill_empty_classes(&mut selected, &labels, 2, &score), [Filled { class: 1, samples: 4 }]);
        assert_eq!(selected[12..], [true; 4]);
        // If nothing at all was selected, and a class without samples.
        let mut none = vec![false; 16];
        let filled = fill_empty_classes(&mut none, &labels, 3, &score);
        assert_eq!(filled, [Filled { class: 0, samples: 1 }, Filled { class: 1, samples: 1 }]);
        assert!(none[7] && none[15]);
    }

    #[test]
    fn what_cannot_be_judged_is_not_taken() {
        let mut selected = [true, false, false];
        assert_eq!(fill_empty_classes(&mut selected, &[0, 1, u32::MAX], 2, &[0.5, f64::NAN, 0.9]), []);
        assert_eq!(selected, [true, false, false]);
    }
}
