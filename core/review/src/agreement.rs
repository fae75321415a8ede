//! How far reviewers agree beyond chance: Cohen's kappa of two, Fleiss' kappa of more, with 95 % intervals.
//!
//! - Cohen, J. (1960), A coefficient of agreement for nominal scales. Its standard error is that of Fleiss, Cohen and
//!   Everitt (1969), Large sample standard errors of kappa and weighted kappa, as statsmodels has it.
//! - Fleiss, J. L. (1971), Measuring nominal scale agreement among many raters. Its standard error is that of Gwet (2008),
//!   Computing inter-rater reliability and its variance in the presence of high agreement, as irrCAC has it.

mod kappa;

pub use kappa::{Kappa, cohen, fleiss, pooled};

use std::collections::{BTreeMap, BTreeSet};

/// What reviewers said of one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The class that the sample is counted with.
    pub class: String,
    /// Reviewer and what they said; one entry for each reviewer.
    pub said: Vec<(String, String)>,
}

/// Two reviewers.
#[derive(Debug, Clone, PartialEq)]
pub struct OfPair {
    /// Their names, in order.
    pub reviewers: [String; 2],
    /// Over the samples that both decided.
    pub kappa: Kappa,
}

/// One reviewer with all others.
#[derive(Debug, Clone, PartialEq)]
pub struct OfReviewer {
    /// The name.
    pub reviewer: String,
    /// Samples that somebody else decided, too.
    pub samples: u64,
    /// The share of those others' decisions that are alike, 0 to 1.
    pub alike: f64,
    /// Cohen's kappa of this reviewer's decisions, each beside each other reviewer's about the same sample.
    pub kappa: Kappa,
}

/// Agreement of several reviewers.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The reviewers, in name order.
    pub reviewers: Vec<String>,
    /// Samples that at least two of them decided.
    pub shared: u64,
    /// How many of these they decided alike.
    pub alike: u64,
    /// All of them, over the samples that each of them decided.
    pub all: Kappa,
    /// Each two, over the samples that both decided.
    pub pairs: Vec<OfPair>,
    /// The same as `all` for the samples of each class, in name order.
    pub classes: Vec<(String, Kappa)>,
    /// Each reviewer.
    pub each: Vec<OfReviewer>,
}

/// Agreement of the reviewers of some samples. Samples that one reviewer decided alone say nothing of it and are left out.
pub fn agreement(samples: &[Rated]) -> Agreement {
    let names = |samples: &[Rated]| -> BTreeSet<String> {
        samples.iter().flat_map(|sample| sample.said.iter().map(|(name, _)| name.clone())).collect()
    };
    let samples: Vec<Rated> = samples.iter().filter(|sample| sample.said.len() > 1).cloned().collect();
    let reviewers: Vec<String> = names(&samples).into_iter().collect();
    let alike = samples.iter().filter(|sample| is_alike(sample)).count() as u64;
    let mut by_class: BTreeMap<&str, Vec<&Rated>> = BTreeMap::new();
    for sample in &samples {
        by_class.entry(&sample.class).or_default().push(sample);
    }
    let every: Vec<&Rated> = samples.iter().collect();
    let two = |first: usize| (first + 1..reviewers.len()).map(move |second| [first, second]);
    let pairs = (0..reviewers.len()).flat_map(two).map(|pair| pair.map(|index| reviewers[index].clone()));
    Agreement {
        shared: samples.len() as u64,
        alike,
        all: of_all(&every, &reviewers),
        pairs: pairs
            .map(|pair| OfPair { kappa: of_all(&every, &pair), reviewers: pair })
            .filter(|pair| pair.kappa.samples > 0)
            .collect(),
        classes: by_class.iter().map(|(class, of)| ((*class).to_owned(), of_all(of, &reviewers))).collect(),
        each: reviewers.iter().map(|name| of_reviewer(&samples, name)).collect(),
        reviewers,
    }
}

fn is_alike(sample: &Rated) -> bool {
    sample.said.windows(2).all(|pair| pair[0].1 == pair[1].1)
}

/// Kappa over the samples that all of these reviewers decided.
fn of_all(samples: &[&Rated], reviewers: &[String]) -> Kappa {
    let said = |sample: &Rated, name: &String| {
        sample.said.iter().find(|(who, _)| who == name).map(|(_, what)| what.clone())
    };
    let rows: Vec<Vec<String>> = samples
        .iter()
        .filter_map(|sample| reviewers.iter().map(|name| said(sample, name)).collect::<Option<_>>())
        .collect();
    let categories: BTreeSet<&String> = rows.iter().flatten().collect();
    let numbers: BTreeMap<&String, usize> =
        categories.into_iter().enumerate().map(|(number, name)| (name, number)).collect();
    if let [_, _] = reviewers {
        let mut table = vec![vec![0; numbers.len()]; numbers.len()];
        rows.iter().for_each(|row| table[numbers[&row[0]]][numbers[&row[1]]] += 1);
        return cohen(&table);
    }
    let counts: Vec<Vec<u64>> = rows
        .iter()
        .map(|row| {
            let mut counts = vec![0; numbers.len()];
            row.iter().for_each(|what| counts[numbers[what]] += 1);
            counts
        })
        .collect();
    fleiss(&counts)
}

fn of_reviewer(samples: &[Rated], name: &str) -> OfReviewer {
    let categories: BTreeSet<&str> =
        samples.iter().flat_map(|sample| sample.said.iter().map(|(_, what)| what.as_str())).collect();
    let numbers: BTreeMap<&str, usize> =
        categories.into_iter().enumerate().map(|(number, what)| (what, number)).collect();
    let pairs = |sample: &Rated| -> Option<Vec<(usize, usize)>> {
        let (_, own) = sample.said.iter().find(|(who, _)| who == name)?;
        let others = sample.said.iter().filter(|(who, _)| who != name);
        Some(others.map(|(_, other)| (numbers[own.as_str()], numbers[other.as_str()])).collect())
    };
    let pairs: Vec<Vec<(usize, usize)>> = samples.iter().filter_map(pairs).collect();
    let kappa = pooled(&pairs, numbers.len());
    let alike = kappa.observed.unwrap_or(0.0);
    OfReviewer { reviewer: name.to_owned(), samples: kappa.samples, alike, kappa }
}

#[cfg(test)]
mod tests;
