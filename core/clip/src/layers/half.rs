//! The transformer in half precision, as GPUs compute it: products, and between them steps that read and write every number once.
//! A layer takes twelve launches.

use super::{Layer, Norm, Wanted};
use crate::ops::{self, half};
use candle_core::{IndexOp, Result, Tensor};

/// `sum = product + bias + residual`, and the sum normalized for the step that follows.
struct SumNorm {
    /// The bias, and the norm's weights and biases: `[3, width]`.
    with: Tensor,
    eps: f32,
}

impl SumNorm {
    fn new(bias: Option<&Tensor>, norm: &Norm) -> Result<SumNorm> {
        let bias = match bias {
            Some(bias) => bias.clone(),
            None => norm.bias.zeros_like()?,
        };
        Ok(SumNorm { with: Tensor::stack(&[&bias, &norm.weight, &norm.bias], 0)?, eps: norm.eps })
    }

    /// The sum and its norm, of every row or of one in `every`.
    fn forward(&self, product: &Tensor, residual: &Tensor, every: usize) -> Result<[Tensor; 2]> {
        let both = half::sum_norm(product, residual, &self.with, self.eps, every)?;
        Ok([both.get(0)?, both.get(1)?])
    }
}

/// A stack of layers with the norms around them.
pub(super) struct HalfEncoder {
    before: Norm,
    pub(super) after: Norm,
    /// Each with the sum behind its attention and the one behind its perceptron.
    layers: Vec<(Layer, SumNorm, SumNorm)>,
    pub(super) heads: usize,
    pub(super) causal: bool,
}

impl HalfEncoder {
    /// The layers, to be run step by step.
    pub(super) fn layers(&self) -> Vec<&Layer> {
        self.layers.iter().map(|(layer, ..)| layer).collect()
    }

    /// `after` normalizes what comes out of the last layer.
    pub(super) fn new(layers: Vec<Layer>, after: &Norm, heads: usize, causal: bool) -> Result<HalfEncoder> {
        let before = layers.first().map_or(after, |layer| &layer.norm1).clone();
        let mut norms: Vec<Norm> = layers.iter().skip(1).map(|layer| layer.norm1.clone()).collect();
        norms.push(after.clone());
        let summed = |(layer, next): (Layer, Norm)| {
            let middle = SumNorm::new(layer.out.bias.as_ref(), &layer.norm2)?;
            let end = SumNorm::new(layer.perceptron.second.bias.as_ref(), &next)?;
            Ok((layer, middle, end))
        };
        let layers = layers.into_iter().zip(norms).map(summed).collect::<Result<_>>()?;
        Ok(HalfEncoder { before, after: after.clone(), layers, heads, causal })
    }

    /// `[batch, tokens, width]` to what is wanted of it, normalized.
    pub(super) fn forward(&self, x: &Tensor, wanted: Wanted) -> Result<Tensor> {
        let (batch, tokens, width) = x.dims3()?;
        let mut x = x.reshape((batch * tokens, width))?;
        let mut normed = self.before.forward(&x)?;
        for (index, (layer, middle, end)) in self.layers.iter().enumerate() {
            let mixed = self.attention(layer, &normed.reshape((batch, tokens, width))?)?;
            [x, normed] = middle.forward(&layer.out.product(&mixed)?, &x, 1)?;
            let inner = layer.perceptron.first.forward_activated(&normed, layer.perceptron.activation)?;
            let last = index + 1 == self.layers.len() && wanted == Wanted::First;
            let every = if last { tokens } else { 1 };
            [x, normed] = end.forward(&layer.perceptron.second.product(&inner)?, &x, every)?;
        }
        match wanted {
            Wanted::First => Ok(normed),
            Wanted::All => normed.reshape((batch, tokens, width)),
        }
    }

    fn attention(&self, layer: &Layer, normed: &Tensor) -> Result<Tensor> {
        let qkv = layer.qkv.split(normed, 3, self.heads)?;
        let (query, key, value) = (qkv.get(0)?, qkv.get(1)?, qkv.get(2)?);
        let shares = ops::softmax(query.matmul(&key.t()?)?, self.causal)?;
        half::merge(&shares.matmul(&value)?)
    }
}

/// The tokens that go into the first layer, from the products of patches.
pub(crate) struct Tokens {
    /// What is added to each token: those without a patch come first. `[tokens, width]`.
    table: Tensor,
    /// Weights and biases `[2, width]` of the norm in front of the layers, and its epsilon.
    norm: Option<(Tensor, f32)>,
}

impl Tokens {
    /// From tokens without a patch `[1, count, width]`, positions of patches `[patches, width]`, and a bias of the patches.
    pub(crate) fn new(
        without: &[&Tensor],
        positions: &Tensor,
        bias: Option<&Tensor>,
        before: Option<&Norm>,
    ) -> Result<Tokens> {
        let positions = match bias {
            Some(bias) => positions.broadcast_add(bias)?,
            None => positions.clone(),
        };
        let mut parts = without.iter().map(|part| part.i(0)).collect::<Result<Vec<_>>>()?;
        parts.push(positions);
        let norm = match before {
            Some(norm) => Some((Tensor::stack(&[&norm.weight, &norm.bias], 0)?, norm.eps)),
            None => None,
        };
        Ok(Tokens { table: Tensor::cat(&parts, 0)?, norm })
    }

    /// Products `[batch, patches, width]` to tokens `[batch, tokens, width]`.
    pub(crate) fn forward(&self, products: &Tensor) -> Result<Tensor> {
        half::tokens(products, &self.table, self.norm.as_ref().map(|(norm, eps)| (norm, *eps)))
    }
}
