//! Trained members as bytes, for [`Report::keep`](chaffinch_plugin::Report::keep).
//!
//! `chaffinch-pollution 1`, a line break, then little-endian numbers: for each class its name and its members. Names
//! and lists carry their length.

use crate::member::{Features, Member, Model};
use crate::stablelabel::{Layer, Mlp, Svc};
use chaffinch_plugin::{Error, Result};

const MARK: &[u8] = b"chaffinch-pollution 1\n";
/// The name models are kept under.
pub(crate) const NAME: &str = "model";

/// The members of every class, and the width of the embeddings they look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Saved {
    pub(crate) dim: usize,
    /// Name and members.
    pub(crate) classes: Vec<(String, Vec<Member>)>,
}

impl Saved {
    /// Serializes it. The samples that a member has seen are not kept, because rows may have changed by then.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = MARK.to_vec();
        number(&mut out, self.dim);
        number(&mut out, self.classes.len());
        for (name, members) in &self.classes {
            number(&mut out, name.len());
            out.extend(name.as_bytes());
            number(&mut out, members.len());
            for member in members {
                out.push(u8::from(member.features == Features::Engineered));
                match &member.model {
                    Model::Linear { weights, bias } => {
                        out.push(0);
                        floats(&mut out, &[*bias]);
                        floats(&mut out, weights);
                    }
                    Model::Network(net) => {
                        out.push(1);
                        number(&mut out, net.layers.len());
                        for layer in &net.layers {
                            number(&mut out, layer.inputs);
                            floats(&mut out, &layer.weights);
                            floats(&mut out, &layer.biases);
                        }
                    }
                    Model::Sigmoid(svc) => {
                        out.push(2);
                        number(&mut out, svc.cols);
                        floats(&mut out, &[svc.gamma, svc.bias]);
                        floats(&mut out, &svc.vectors);
                        floats(&mut out, &svc.weights);
                    }
                }
            }
        }
        out
    }

    /// Reads what [`Saved::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Saved> {
        let rest = bytes.strip_prefix(MARK);
        let saved = rest.and_then(|rest| Reader { rest }.saved());
        saved.ok_or_else(|| Error::new("the kept model is in another format; train a new one with model = 0"))
    }
}

fn number(out: &mut Vec<u8>, value: usize) {
    out.extend((value as u64).to_le_bytes());
}

fn floats(out: &mut Vec<u8>, values: &[f32]) {
    number(out, values.len());
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.take(8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    }

    /// A length, at most the number of bytes left.
    fn count(&mut self) -> Option<usize> {
        let value = self.number()?;
        (value <= self.rest.len()).then_some(value)
    }

    fn floats(&mut self) -> Option<Vec<f32>> {
        let count = self.count()?;
        let bytes = self.take(count.checked_mul(4)?)?;
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        values.iter().all(|value| value.is_finite()).then_some(values)
    }

    fn saved(mut self) -> Option<Saved> {
        let dim = self.number()?;
        let mut classes = Vec::new();
        for _ in 0..self.count()? {
            let length = self.count()?;
            let name = String::from_utf8(self.take(length)?.to_vec()).ok()?;
            let mut members = Vec::new();
            for _ in 0..self.count()? {
                let features = if self.byte()? == 0 { Features::Embedding } else { Features::Engineered };
                members.push(Member { features, model: self.model()?, seen: Vec::new() });
            }
            classes.push((name, members));
        }
        self.rest.is_empty().then_some(Saved { dim, classes })
    }

    fn model(&mut self) -> Option<Model> {
        match self.byte()? {
            0 => {
                let bias = *self.floats()?.first()?;
                Some(Model::Linear { weights: self.floats()?, bias })
            }
            1 => {
                let mut layers = Vec::new();
                for _ in 0..self.count()? {
                    let inputs = self.number()?;
                    let (weights, biases) = (self.floats()?, self.floats()?);
                    (Some(weights.len()) == inputs.checked_mul(biases.len())).then_some(())?;
                    layers.push(Layer { inputs, weights, biases });
                }
                (!layers.is_empty()).then_some(Model::Network(Mlp { layers }))
            }
            2 => {
                let cols = self.number()?;
                let [gamma, bias] = self.floats()?[..] else { return None };
                let (vectors, weights) = (self.floats()?, self.floats()?);
                (Some(vectors.len()) == cols.checked_mul(weights.len())).then_some(Model::Sigmoid(Svc {
                    gamma,
                    bias,
                    cols,
                    vectors,
                    weights,
                }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn every_kind_of_model_comes_back() {
        let rows = [0.1_f32, 0.9, -0.4, 0.3, 0.5, -0.6];
        let clean = [true, false, true];
        let member = |features, model| Member { features, model, seen: Vec::new() };
        let members = vec![
            member(Features::Embedding, Model::Linear { weights: vec![0.5, -1.0], bias: 0.25 }),
            member(Features::Engineered, Model::Network(Mlp::train(&rows, 2, &clean, &mut Rng::new(0, 0)))),
            member(Features::Embedding, Model::Sigmoid(Svc::train(&rows, 2, &clean))),
        ];
        let saved = Saved { dim: 2, classes: vec![("cat".into(), members), ("empty".into(), Vec::new())] };
        let bytes = saved.to_bytes();
        assert_eq!(Saved::from_bytes(&bytes).unwrap(), saved);
        for cut in [0, 5, MARK.len(), bytes.len() / 2, bytes.len() - 1] {
            assert!(Saved::from_bytes(&bytes[..cut]).is_err(), "{cut} bytes");
        }
        let mut more = bytes.clone();
        more.push(0);
        assert!(Saved::from_bytes(&more).is_err());
        let mut huge = bytes;
        huge[MARK.len() + 8..MARK.len() + 16].fill(0xFF);
        assert!(Saved::from_bytes(&huge).is_err());
    }
}
