//! Equality with Datalab on a small dataset (`scripts/fixtures/make_datalab_fixtures.py`).

use super::chance;
use super::columns::{is_identifier, present_shares};
use super::groups::{dbscan, groups};
use super::imbalance::rarest;
use super::order::{index_distances, p_value};
use super::spurious::{accuracy, majority, room};
use super::tests::{close, quiet, unit};
use super::valuation::shapley;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors::{self, NeighborLists};
use serde_json::Value;

const K: usize = 10;

/// Datalab's fixture.
struct Datalab(Value);

impl Datalab {
    fn load() -> Datalab {
        Datalab(serde_json::from_str(include_str!("../../fixtures/datalab.json")).unwrap())
    }

    fn numbers(&self, pointer: &str) -> Vec<f64> {
        let list = self.0.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    fn number(&self, pointer: &str) -> f64 {
        self.0.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}"))
    }

    fn labels(&self) -> Vec<u32> {
        self.numbers("/labels").into_iter().map(|label| label as u32).collect()
    }

    fn neighbors(&self) -> NeighborLists {
        let vectors = self.numbers("/vectors");
        let data = vectors.chunks_exact(self.number("/width") as usize).flat_map(unit).collect();
        let matrix = EmbeddingMatrix::from_vec(data, self.number("/width") as usize);
        neighbors::nearest(&matrix, &|_| true, K, &quiet()).unwrap()
    }

    fn texts(&self, pointer: &str) -> Vec<String> {
        let list = self.0.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("{pointer}"));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        list.iter().map(text).collect()
    }
}

#[test]
fn the_rarest_class_is_datalabs() {
    let datalab = Datalab::load();
    let found = rarest(&datalab.labels(), 3).unwrap();
    close(found.share, datalab.number("/class_imbalance/score"));
    assert_eq!(f64::from(found.class), datalab.number("/class_imbalance/class"));
    close(found.threshold, 0.1 / 3.0);
}

#[test]
fn the_statistic_of_an_order_is_datalabs_and_so_is_the_p_value_of_given_permutations() {
    let datalab = Datalab::load();
    let lists = datalab.neighbors();
    let count = datalab.labels().len() as u32;
    let in_order: Vec<u32> = (0..count).collect();
    let mut mixed = vec![0; count as usize];
    (0..).zip(datalab.numbers("/shuffled")).for_each(|(place, row)| mixed[row as usize] = place);
    for (name, place) in [("order", in_order), ("mixed_order", mixed)] {
        let observed = index_distances(&lists.indices, K, &place);
        close(observed, datalab.number(&format!("/{name}/statistic")));
        let theirs = datalab.number(&format!("/{name}/p_value"));
        close(p_value(observed, &datalab.numbers(&format!("/{name}/permuted"))), theirs);
        // Our permutations are others; p-values of 25 each differ by up to a tenth, and here by more than that rarely.
        let permuted: Vec<f64> = (0..25)
            .map(|trial| index_distances(&lists.indices, K, &chance::shuffled(count as usize, trial)))
            .collect();
        let ours = p_value(observed, &permuted);
        assert!((ours - theirs).abs() < 0.2, "{name}: {ours} is far from {theirs}");
    }
}

#[test]
fn clusters_and_their_scores_are_datalabs() {
    let datalab = Datalab::load();
    let lists = datalab.neighbors();
    let clusters = dbscan(&lists.indices, &lists.similarities, K);
    let theirs = datalab.numbers("/underperforming_group/clusters");
    let theirs: Vec<u32> =
        theirs.into_iter().map(|cluster| if cluster < 0.0 { u32::MAX } else { cluster as u32 }).collect();
    assert_eq!(clusters, theirs);
    let (labels, probabilities) = (datalab.labels(), datalab.numbers("/probabilities"));
    let confidence: Vec<f64> =
        labels.iter().zip(probabilities.chunks_exact(3)).map(|(label, row)| row[*label as usize]).collect();
    let found = groups(&clusters, &confidence);
    assert!(found[0].ratio < 0.1 && found.len() > 2, "{found:?}");
    let scores = datalab.numbers("/underperforming_group/scores");
    for group in &found {
        let member = clusters.iter().position(|cluster| *cluster == group.cluster).unwrap();
        close(group.ratio.min(1.0), scores[member]);
    }
}

#[test]
fn values_of_samples_are_datalabs() {
    let datalab = Datalab::load();
    let values = shapley(&datalab.neighbors().indices, K, &datalab.labels());
    let theirs = datalab.numbers("/data_valuation/values");
    values.iter().zip(&theirs).for_each(|(ours, theirs)| close(*ours, *theirs));
    close(values.iter().sum::<f64>() / values.len() as f64, datalab.number("/data_valuation/score"));
    assert!(theirs.iter().any(|value| *value < 0.5));
}

#[test]
fn accuracies_by_a_property_are_datalabs_and_its_baseline_is_not() {
    let datalab = Datalab::load();
    let labels = datalab.labels();
    let theirs = datalab.number("/spurious_correlations/baseline");
    for name in ["tells", "chance"] {
        let at = format!("/spurious_correlations/properties/{name}");
        let accuracy = accuracy(&datalab.numbers(&format!("{at}/values")), &labels);
        close(accuracy, datalab.number(&format!("{at}/accuracy")));
        // The formula is the same; the index of the most common class is not a count of it.
        close(room(theirs, accuracy), datalab.number(&format!("{at}/datalab_score")));
    }
    let most = (0..3).map(|class| labels.iter().filter(|label| **label == class).count()).max().unwrap();
    close(majority(&labels), most as f64 / labels.len() as f64);
    assert!(majority(&labels) > theirs + 0.3);
}

#[test]
fn missing_values_and_identifiers_are_datalabs() {
    let datalab = Datalab::load();
    let columns: Vec<Vec<String>> =
        ["camera", "note"].iter().map(|name| datalab.texts(&format!("/null/columns/{name}"))).collect();
    let shares = present_shares(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let theirs = datalab.numbers("/null/values");
    assert_eq!(shares.len(), theirs.len());
    shares.iter().zip(&theirs).for_each(|(ours, theirs)| close(*ours, *theirs));
    close(shares.iter().sum::<f64>() / shares.len() as f64, datalab.number("/null/score"));
    let names = ["number", "gap", "twice"];
    let found: Vec<&str> = names
        .into_iter()
        .filter(|name| is_identifier(&datalab.texts(&format!("/identifier_columns/columns/{name}"))))
        .collect();
    assert_eq!(found, datalab.texts("/identifier_columns/found"));
}
