//! The transformer that all towers share: pre-normalized attention and perceptron, as in the reference implementation
//! (Hugging Face `CLIPEncoder` and `SiglipEncoder`, which are the same).
//!
//! Query, key and value are one multiplication, and the attention's scale is part of the query's weights.

mod half;

use self::half::HalfEncoder;
pub(crate) use self::half::Tokens;
use crate::config::EncoderConfig;
use crate::cpu::{CpuEncoder, CpuLayer, CpuLinear, CpuNorm};
use crate::error::ClipError;
use crate::failure::{Meaning, first_line};
use crate::ops::{self, Activation};
use crate::tiles;
use crate::weights::Weights;
use candle_core::{DType, Device, IndexOp, Result, Storage, Tensor};
use std::sync::atomic::{AtomicBool, Ordering};

/// One in so many layers, the last ones, say where in a picture a model looks; those before mostly prepare.
const LAST: usize = 3;

/// Loads tensors from a checkpoint to the device of the towers.
pub(crate) struct Loader<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) device: &'a Device,
    /// The precision of the towers: single precision on the CPU.
    pub(crate) dtype: DType,
    /// Whether candle computes, step by step.
    pub(crate) stepwise: bool,
    /// Whether the layers multiply in bf16, on the CPU.
    pub(crate) in_tiles: bool,
    /// In words.
    pub(crate) device_name: &'a str,
    /// Whether the towers are no longer wanted.
    pub(crate) stop: &'a AtomicBool,
}

impl Loader<'_> {
    /// Whether the steps between products are fused: `ops::half` has them.
    pub(crate) fn in_half(&self) -> bool {
        self.stepwise && self.dtype == DType::F16
    }

    /// A tensor of the checkpoint on the device and in the precision of the towers.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> std::result::Result<Tensor, ClipError> {
        self.to_device(self.weights.get(name, shape)?)
    }

    /// Puts a tensor on the device.
    pub(crate) fn to_device(&self, tensor: Tensor) -> std::result::Result<Tensor, ClipError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(ClipError::Stopped);
        }
        self.check(tensor.to_dtype(self.dtype).and_then(|tensor| tensor.to_device(self.device)))
    }

    /// Converts an error of candle.
    pub(crate) fn check<T>(&self, result: Result<T>) -> std::result::Result<T, ClipError> {
        result.map_err(|error| ClipError::Load {
            name: self.weights.path().display().to_string(),
            device: self.device_name.into(),
            reason: match Meaning::of(&first_line(&error)) {
                Some(meaning) => meaning.words().into(),
                None => first_line(&error),
            },
        })
    }
}

/// `x W^T + b` over the last dimension.
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    /// A second copy of the weights, if a large layer outside the encoder is multiplied in bf16.
    tiles: Option<tiles::Weights>,
}

impl Linear {
    /// `name.weight` with the shape `[outputs, inputs]`, and `name.bias`.
    pub(crate) fn load(
        loader: &Loader,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> std::result::Result<Linear, ClipError> {
        let weight = loader.get(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = Some(loader.get(&format!("{name}.bias"), &[outputs])?);
        Ok(Linear { weight, bias, tiles: None })
    }

    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Linear {
        Linear { weight, bias, tiles: None }
    }

    /// The same in single precision.
    pub(crate) fn in_single(&self) -> Result<Linear> {
        let bias = self.bias.as_ref().map(|bias| bias.to_dtype(DType::F32)).transpose()?;
        Ok(Linear::new(self.weight.to_dtype(DType::F32)?, bias))
    }

    /// The same, multiplied like the encoder's layers.
    pub(crate) fn like_layers(mut self, loader: &Loader) -> std::result::Result<Linear, ClipError> {
        if loader.in_tiles {
            let weight = self.weight.flatten_all().and_then(|weight| weight.to_vec1::<f32>());
            let outputs = loader.check(self.weight.dim(0))?;
            self.tiles = Some(tiles::Weights::new(&loader.check(weight)?, outputs));
        }
        Ok(self)
    }

    fn into_host(self, in_tiles: bool) -> Result<CpuLinear> {
        let weight = self.weight.flatten_all()?.to_vec1()?;
        let bias = match self.bias {
            Some(bias) => bias.to_vec1()?,
            None => vec![0.0; self.weight.dim(0)?],
        };
        Ok(CpuLinear::new(weight, bias, in_tiles))
    }

    /// `x W^T`.
    pub(crate) fn product(&self, x: &Tensor) -> Result<Tensor> {
        let mut dims = x.dims().to_vec();
        let inputs = dims.pop().unwrap_or(1);
        let outputs = self.weight.dim(0)?;
        dims.push(outputs);
        if let Some(weights) = &self.tiles {
            let x = x.contiguous()?;
            let (storage, layout) = x.storage_and_layout();
            let Storage::Cpu(numbers) = &*storage else { candle_core::bail!("tiles are on the CPU") };
            return Tensor::from_vec(weights.times(ops::floats(numbers, layout)?), dims, x.device());
        }
        ops::times(&x.reshape(((), inputs))?, &self.weight)?.reshape(dims)
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = self.product(x)?;
        match &self.bias {
            Some(bias) => ops::add_bias(product, bias),
            None => Ok(product),
        }
    }

    /// The result for `[batch, tokens, width]`, whose columns are `parts` of `heads`: `[parts, batch, heads, tokens, size]`.
    pub(crate) fn split(&self, x: &Tensor, parts: usize, heads: usize) -> Result<Tensor> {
        let (batch, tokens, width) = x.dims3()?;
        match &self.bias {
            Some(bias) if x.dtype() == DType::F16 => {
                let product = self.product(&x.reshape((batch * tokens, width))?)?;
                ops::half::split(&product, bias, [batch, parts, heads])
            }
            _ => {
                let split = self.forward(x)?.reshape((batch, tokens, parts, heads, ()))?;
                split.permute((2, 0, 3, 1, 4))?.contiguous()
            }
        }
    }

    fn forward_activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        let product = self.product(x)?;
        match &self.bias {
            Some(bias) => ops::add_bias_activated(product, bias, activation),
            None => candle_core::bail!("an activated layer has a bias"),
        }
    }

    fn forward_residual(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let product = self.product(x)?;
        match &self.bias {
            Some(bias) => ops::add_bias_residual(product, bias, residual),
            None => product + residual,
        }
    }
}

/// Layer normalization over the last dimension.
#[derive(Clone)]
pub(crate) struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f32,
}

impl Norm {
    pub(crate) fn load(
        loader: &Loader,
        name: &str,
        width: usize,
        eps: f64,
    ) -> std::result::Result<Norm, ClipError> {
        let weight = loader.get(&format!("{name}.weight"), &[width])?;
        let bias = loader.get(&format!("{name}.bias"), &[width])?;
        Ok(Norm { weight, bias, eps: eps as f32 })
    }

    fn into_host(self) -> Result<CpuNorm> {
        Ok(CpuNorm { weight: self.weight.to_vec1()?, bias: self.bias.to_vec1()?, eps: self.eps })
    }

    /// What parts of a row `[parts, width]` become when the row `[width]` is normalized, without the bias: once the row is known,
    /// that is linear.
    pub(crate) fn parts(&self, parts: &Tensor, row: &Tensor) -> Result<Tensor> {
        let parts = parts.to_dtype(DType::F32)?;
        let row: Vec<f32> = row.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let count = row.len().max(1) as f32;
        let mean = row.iter().sum::<f32>() / count;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
        let scale = f64::from((variance + self.eps).sqrt().recip());
        let centered = parts.broadcast_sub(&parts.mean_keepdim(1)?)?;
        (centered * scale)?.broadcast_mul(&self.weight.to_dtype(DType::F32)?)
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::layer_norm(&x.contiguous()?, &self.weight, &self.bias, self.eps)
    }
}

/// Two linear layers with an activation between.
pub(crate) struct Perceptron {
    first: Linear,
    second: Linear,
    activation: Activation,
}

impl Perceptron {
    pub(crate) fn load(
        loader: &Loader,
        name: &str,
        config: &EncoderConfig,
    ) -> std::result::Result<Self, ClipError> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Perceptron {
            first: Linear::load(loader, &format!("{name}.fc1"), width, inner)?,
            second: Linear::load(loader, &format!("{name}.fc2"), inner, width)?,
            activation: config.activation,
        })
    }

    /// `residual + perceptron(x)`.
    pub(crate) fn forward(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        self.second.forward_residual(&self.first.forward_activated(x, self.activation)?, residual)
    }
}

struct Layer {
    norm1: Norm,
    /// Query (already scaled), key and value stacked.
    qkv: Linear,
    out: Linear,
    norm2: Norm,
    perceptron: Perceptron,
}

impl Layer {
    fn load(loader: &Loader, name: &str, config: &EncoderConfig) -> std::result::Result<Layer, ClipError> {
        let (width, eps) = (config.hidden_size, config.layer_norm_eps);
        let scale = ((width / config.num_attention_heads) as f64).powf(-0.5);
        let stacked = |kind: &str, shape: &[usize]| {
            let part =
                |which: &str| loader.weights.get(&format!("{name}.self_attn.{which}_proj.{kind}"), shape);
            let (query, key, value) = (part("q")?, part("k")?, part("v")?);
            let all = (query * scale).and_then(|query| Tensor::cat(&[&query, &key, &value], 0));
            loader.to_device(loader.check(all)?)
        };
        Ok(Layer {
            norm1: Norm::load(loader, &format!("{name}.layer_norm1"), width, eps)?,
            qkv: Linear::new(stacked("weight", &[width, width])?, Some(stacked("bias", &[width])?)),
            out: Linear::load(loader, &format!("{name}.self_attn.out_proj"), width, width)?,
            norm2: Norm::load(loader, &format!("{name}.layer_norm2"), width, eps)?,
            perceptron: Perceptron::load(loader, &format!("{name}.mlp"), config)?,
        })
    }

    /// The same numbers without tensors.
    fn into_host(self, in_tiles: bool) -> Result<CpuLayer> {
        let Perceptron { first, second, activation } = self.perceptron;
        Ok(CpuLayer {
            norm1: self.norm1.into_host()?,
            qkv: self.qkv.into_host(in_tiles)?,
            out: self.out.into_host(in_tiles)?,
            norm2: self.norm2.into_host()?,
            first: first.into_host(in_tiles)?,
            second: second.into_host(in_tiles)?,
            activation,
        })
    }

    /// What each token adds to the first one in the attention of one sequence `[1, tokens, width]`: `[tokens, width]`.
    fn given(&self, x: &Tensor, heads: usize) -> Result<Tensor> {
        let (_, tokens, width) = x.dims3()?;
        let qkv = self.qkv.split(&self.norm1.forward(x)?, 3, heads)?;
        let (query, key, value) = (qkv.get(0)?, qkv.get(1)?, qkv.get(2)?);
        let attention = ops::softmax(query.narrow(2, 0, 1)?.contiguous()?.matmul(&key.t()?)?, false)?;
        // `[1, heads, tokens, size]`, of which each row is scaled.
        let shared = value.broadcast_mul(&attention.transpose(2, 3)?.contiguous()?)?;
        self.out.product(&shared.transpose(1, 2)?.contiguous()?.reshape((tokens, width))?)
    }

    fn forward(&self, x: &Tensor, heads: usize, causal: bool) -> Result<Tensor> {
        let (batch, tokens, width) = x.dims3()?;
        let qkv = self.qkv.split(&self.norm1.forward(x)?, 3, heads)?;
        let (query, key, value) = (qkv.get(0)?, qkv.get(1)?, qkv.get(2)?);
        let attention = ops::softmax(query.matmul(&key.t()?)?, causal)?;
        let mixed =
            attention.matmul(&value)?.transpose(1, 2)?.contiguous()?.reshape((batch, tokens, width))?;
        let x = self.out.forward_residual(&mixed, x)?;
        self.perceptron.forward(&self.norm2.forward(&x)?, &x)
    }
}

/// Which tokens of a stack's result are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The first one of each sequence.
    First,
    /// Every one.
    All,
}

/// A stack of layers and the normalization of what comes out of them.
pub(crate) struct Encoder {
    stack: Stack,
}

/// Where the layers run.
enum Stack {
    /// On the CPU in single precision, without tensors.
    Host(CpuEncoder, Norm),
    /// In half precision, with fused steps between the products.
    Half(HalfEncoder),
    /// By candle, step by step.
    Plain { layers: Vec<Layer>, heads: usize, causal: bool, after: Norm },
}

impl Encoder {
    /// `name.layers.0`, `name.layers.1`, ..., and the normalization.
    pub(crate) fn load(
        loader: &Loader,
        name: &str,
        config: &EncoderConfig,
        causal: bool,
        after: Norm,
    ) -> std::result::Result<Encoder, ClipError> {
        let heads = config.num_attention_heads;
        let layer = |index| Layer::load(loader, &format!("{name}.layers.{index}"), config);
        let layers = (0..config.num_hidden_layers).map(layer);
        if !loader.stepwise {
            // One after another, so that there is never a second copy of all weights.
            let layers =
                layers.map(|layer| layer.and_then(|layer| loader.check(layer.into_host(loader.in_tiles))));
            let layers = layers.collect::<std::result::Result<_, _>>()?;
            return Ok(Encoder { stack: Stack::Host(CpuEncoder::new(layers, heads, causal), after) });
        }
        let layers = layers.collect::<std::result::Result<Vec<_>, _>>()?;
        let stack = if loader.in_half() {
            Stack::Half(loader.check(HalfEncoder::new(layers, &after, heads, causal))?)
        } else {
            Stack::Plain { layers, heads, causal, after }
        };
        Ok(Encoder { stack })
    }

    /// Of one sequence `[1, tokens, width]`: what comes out of the last layer, and what each token adds to the first one in the
    /// attention of the last third of the layers, `[tokens, width]` both; and the norm behind them.
    pub(crate) fn given(&self, x: &Tensor) -> Result<([Tensor; 2], &Norm)> {
        let (_, tokens, width) = x.dims3()?;
        let from = |layers: usize| layers - (layers / LAST).max(1).min(layers);
        let step_by_step = |layers: &[&Layer], heads: usize, causal: bool| {
            let (mut x, from) = (x.clone(), from(layers.len()));
            let mut all = x.i(0)?.zeros_like()?.to_dtype(DType::F32)?;
            for (index, layer) in layers.iter().enumerate() {
                if index >= from {
                    all = (all + layer.given(&x, heads)?.to_dtype(DType::F32)?)?;
                }
                x = layer.forward(&x, heads, causal)?;
            }
            Ok::<_, candle_core::Error>([x.i(0)?, all])
        };
        match &self.stack {
            Stack::Host(encoder, after) => {
                let mut numbers: Vec<f32> = x.flatten_all()?.to_vec1()?;
                let given = encoder.given(&mut numbers, (tokens, width), from(encoder.layers.len()));
                let tensor = |numbers: Vec<f32>| Tensor::from_vec(numbers, (tokens, width), x.device());
                Ok(([tensor(numbers)?, tensor(given)?], after))
            }
            Stack::Plain { layers, heads, causal, after } => {
                Ok((step_by_step(&layers.iter().collect::<Vec<_>>(), *heads, *causal)?, after))
            }
            Stack::Half(encoder) => {
                Ok((step_by_step(&encoder.layers(), encoder.heads, encoder.causal)?, &encoder.after))
            }
        }
    }

    /// `[batch, tokens, width]` to the same shape, or to `[batch, width]` if only the first tokens are wanted.
    pub(crate) fn forward(&self, x: Tensor, wanted: Wanted) -> Result<Tensor> {
        let (x, after) = match &self.stack {
            Stack::Half(encoder) => return encoder.forward(&x, wanted),
            Stack::Plain { layers, heads, causal, after } => {
                (layers.iter().try_fold(x, |x, layer| layer.forward(&x, *heads, *causal))?, after)
            }
            Stack::Host(encoder, after) => {
                let (batch, tokens, width) = x.dims3()?;
                let mut numbers = x.flatten_all()?.to_vec1()?;
                encoder.forward(&mut numbers, tokens, width);
                (Tensor::from_vec(numbers, (batch, tokens, width), x.device())?, after)
            }
        };
        match wanted {
            Wanted::First => after.forward(&x.i((.., 0))?),
            Wanted::All => after.forward(&x),
        }
    }
}
