//! Some samples of many, fairly.

/// About `most` samples, of each class an equal share, spread evenly over it; all of them where there are no more. The
/// order in which samples of different classes follow one another makes no difference.
///
/// # Panics
/// When a label is not below `classes`.
pub fn stratified_subsample(
    labels: impl Iterator<Item = u32> + Clone,
    classes: usize,
    most: usize,
) -> Vec<usize> {
    let count = labels.clone().count();
    let mut seen = vec![0_usize; classes];
    let taken = |(_, label): &(usize, u32)| {
        let earlier = &mut seen[*label as usize];
        let before = *earlier * most / count;
        *earlier += 1;
        *earlier * most / count > before
    };
    match count <= most {
        true => (0..count).collect(),
        false => labels.enumerate().filter(taken).map(|(sample, _)| sample).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share_whatever_the_order() {
        let by_turns = stratified_subsample((0..1000).map(|sample| sample % 10), 10, 200);
        let one_by_one = stratified_subsample((0..1000).map(|sample| sample / 100), 10, 200);
        for (found, class) in
            [(&by_turns, (|at| at % 10) as fn(usize) -> usize), (&one_by_one, |at| at / 100)]
        {
            assert_eq!(found.len(), 200);
            for wanted in 0..10 {
                assert_eq!(found.iter().filter(|&&at| class(at) == wanted).count(), 20);
            }
        }
        assert_eq!(stratified_subsample([1, 0, 1].into_iter(), 2, 3), [0, 1, 2]);
        assert!(stratified_subsample(std::iter::empty(), 2, 3).is_empty());
    }
}
