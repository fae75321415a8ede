//! The two coefficients.

/// Half the width of a 95 % interval, in standard errors.
const Z: f64 = 1.959_963_984_540_054;

/// A coefficient of agreement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Kappa {
    /// Samples it is about.
    pub samples: u64,
    /// The share of pairs of decisions about the same sample that are alike, 0 to 1; `None` without samples.
    pub observed: Option<f64>,
    /// At most 1 for full agreement; 0 is what chance would give. `None` if there are no samples or all decisions are the
    /// same, so that nothing can be said beyond chance.
    pub value: Option<f64>,
    /// Its standard error; `None` where it has none.
    pub standard_error: Option<f64>,
}

impl Kappa {
    /// Where the coefficient lies with 95 % confidence, at most 1.
    pub fn interval(&self) -> Option<[f64; 2]> {
        let (value, error) = (self.value?, self.standard_error?);
        Some([(value - Z * error).max(-1.0), (value + Z * error).min(1.0)])
    }
}

/// Cohen's kappa of a square table: how often the first reviewer said `row` where the second said `column`.
pub fn cohen(table: &[Vec<u64>]) -> Kappa {
    let size = table.len();
    let samples: u64 = table.iter().flatten().sum();
    if samples == 0 {
        return Kappa::default();
    }
    let share = |row: usize, column: usize| table[row][column] as f64 / samples as f64;
    let rows: Vec<f64> = (0..size).map(|row| (0..size).map(|column| share(row, column)).sum()).collect();
    let columns: Vec<f64> = (0..size).map(|column| (0..size).map(|row| share(row, column)).sum()).collect();
    let observed: f64 = (0..size).map(|class| share(class, class)).sum();
    let expected: f64 = rows.iter().zip(&columns).map(|(row, column)| row * column).sum();
    let kappa = Kappa { samples, observed: Some(observed), ..Kappa::default() };
    if size < 2 || expected >= 1.0 {
        return kappa;
    }
    let value = (observed - expected) / (1.0 - expected);
    let rest = 1.0 - value;
    let on_diagonal: f64 = (0..size)
        .map(|class| share(class, class) * (1.0 - (rows[class] + columns[class]) * rest).powi(2))
        .sum();
    let off_diagonal: f64 = (0..size)
        .flat_map(|row| (0..size).map(move |column| (row, column)))
        .filter(|(row, column)| row != column)
        .map(|(row, column)| share(row, column) * (columns[row] + rows[column]).powi(2))
        .sum();
    let variance = on_diagonal + rest * rest * off_diagonal - (value - expected * rest).powi(2);
    let variance = variance.max(0.0) / ((1.0 - expected).powi(2) * samples as f64);
    Kappa { value: Some(value), standard_error: Some(variance.sqrt()), ..kappa }
}

/// Fleiss' kappa: for each sample, how many reviewers said each category. All samples have the same number of reviewers.
pub fn fleiss(counts: &[Vec<u64>]) -> Kappa {
    let samples = counts.len() as u64;
    let reviewers: u64 = counts.first().map_or(0, |row| row.iter().sum());
    if samples == 0 || reviewers < 2 {
        return Kappa::default();
    }
    let (n, r) = (samples as f64, reviewers as f64);
    let size = counts.iter().map(Vec::len).max().unwrap_or(0);
    let of = |row: &[u64], class: usize| row.get(class).copied().unwrap_or(0) as f64;
    let shares: Vec<f64> =
        (0..size).map(|class| counts.iter().map(|row| of(row, class)).sum::<f64>() / (n * r)).collect();
    let alike = |row: &[u64]| row.iter().map(|&count| count as f64 * (count as f64 - 1.0)).sum::<f64>();
    let each: Vec<f64> = counts.iter().map(|row| alike(row) / (r * (r - 1.0))).collect();
    let observed = each.iter().sum::<f64>() / n;
    let expected: f64 = shares.iter().map(|share| share * share).sum();
    let kappa = Kappa { samples, observed: Some(observed), ..Kappa::default() };
    if shares.iter().filter(|share| **share > 0.0).count() < 2 {
        return kappa;
    }
    let value = (observed - expected) / (1.0 - expected);
    if samples < 2 {
        return Kappa { value: Some(value), ..kappa };
    }
    // The linear part of each sample's influence.
    let spread: f64 = counts
        .iter()
        .zip(&each)
        .map(|(row, alike)| {
            let chance: f64 =
                shares.iter().enumerate().map(|(class, share)| share * of(row, class) / r).sum();
            let own = (alike - expected) / (1.0 - expected);
            (own - 2.0 * (1.0 - value) * (chance - expected) / (1.0 - expected) - value).powi(2)
        })
        .sum();
    let variance = spread / (n * (n - 1.0));
    Kappa { value: Some(value), standard_error: Some(variance.sqrt()), ..kappa }
}

/// Cohen's kappa over pairs of decisions of which several may be about the same sample: those of one reviewer, each beside
/// that of another. For each sample its pairs, as numbers of categories below `size`. The coefficient is that of all pairs;
/// the standard error is that of [`cohen`], with the influence of a sample being that of its pairs together, so that more
/// reviewers of the same samples do not seem to be more samples.
pub fn pooled(samples: &[Vec<(usize, usize)>], size: usize) -> Kappa {
    let mut table = vec![vec![0; size]; size];
    samples.iter().flatten().for_each(|&(own, other)| table[own][other] += 1);
    let kappa = Kappa { samples: samples.len() as u64, standard_error: None, ..cohen(&table) };
    let (Some(observed), Some(value)) = (kappa.observed, kappa.value) else { return kappa };
    let pairs: u64 = table.iter().flatten().sum();
    let share = |count: u64| count as f64 / pairs as f64;
    let rows: Vec<f64> = table.iter().map(|row| share(row.iter().sum())).collect();
    let columns: Vec<f64> =
        (0..size).map(|column| share(table.iter().map(|row| row[column]).sum())).collect();
    let expected: f64 = rows.iter().zip(&columns).map(|(row, column)| row * column).sum();
    let influence = |&(own, other): &(usize, usize)| {
        let alike = f64::from(u8::from(own == other)) - observed;
        (alike - (1.0 - value) * (columns[own] + rows[other] - 2.0 * expected)) / (1.0 - expected)
    };
    let spread: f64 = samples.iter().map(|of| of.iter().map(influence).sum::<f64>().powi(2)).sum();
    Kappa { standard_error: Some(spread.sqrt() / pairs as f64), ..kappa }
}
