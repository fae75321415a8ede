//! The image tower: a vision transformer with CLIP's class token, SigLIP's attention pooling, or DINOv2's registers.
//!
//! Source: Radford et al. 2021, Zhai et al. 2023, Oquab et al. 2023, Darcet et al. 2023; layout and order of operations as
//! in the reference implementation (Hugging Face `CLIPVisionModelWithProjection`, `SiglipVisionModel`, `Dinov2Model`,
//! `Dinov2WithRegistersModel`).

use crate::config::{Family, ModelConfig};
use crate::error::ClipError;
use crate::layers::{Encoder, Linear, Loader, Norm, Perceptron, Tokens, Wanted};
use crate::ops;
use crate::positions;
use candle_core::{DType, IndexOp, Result, Tensor};

pub(crate) struct VisionTower {
    /// The convolution over patches as a matrix `[width, 3 * patch * patch]`.
    patches: Linear,
    /// The token before the patches, with its position added: `[1, 1, width]`.
    class: Option<Tensor>,
    /// Tokens between the class and the patches: `[1, registers, width]`.
    registers: Option<Tensor>,
    /// `[patches, width]`.
    positions: Tensor,
    before: Option<Norm>,
    /// In half precision, the four above in one.
    tokens: Option<Tokens>,
    encoder: Encoder,
    pooling: Pooling,
    /// Absent in checkpoints of a bare tower.
    projection: Option<Linear>,
    image_size: usize,
    patch_size: usize,
    dim: usize,
}

enum Pooling {
    Class,
    Attention(Box<AttentionPooling>),
}

impl VisionTower {
    pub(crate) fn load(loader: &Loader, config: &ModelConfig) -> std::result::Result<VisionTower, ClipError> {
        let vision = &config.vision;
        let (width, eps) = (vision.encoder.hidden_size, vision.encoder.layer_norm_eps);
        let side = vision.image_size / vision.patch_size;
        let root = if loader.weights.has("vision_model.embeddings.patch_embedding.weight") {
            "vision_model."
        } else {
            ""
        };
        let named = |name: &str| format!("{root}{name}");
        let patch = vision.patch_size;
        let weight = loader.get(&named("embeddings.patch_embedding.weight"), &[width, 3, patch, patch])?;
        let weight = loader.check(weight.reshape((width, 3 * patch * patch)))?;
        let clip = config.family == Family::Clip;
        let classed = config.family != Family::Siglip;
        let bias = match clip {
            true => None,
            false => Some(loader.get(&named("embeddings.patch_embedding.bias"), &[width])?),
        };
        let trained = vision.trained_size / vision.patch_size;
        let rows = trained * trained + usize::from(classed);
        let positions = loader.weights.get(&named("embeddings.position_embedding.weight"), &[rows, width])?;
        let patches = loader.check(positions.narrow(0, rows - trained * trained, trained * trained))?;
        let first = loader.to_device(loader.check(positions.i(0))?)?;
        let kernel =
            if vision.registers > 0 { positions::Kernel::Smoothed } else { positions::Kernel::Sharp };
        let positions =
            loader.to_device(loader.check(positions::resized(&patches, [trained, side], kernel))?)?;
        let (class, before, pooling) = if classed {
            let class = loader.get(&named("embeddings.class_embedding"), &[width])?;
            let class = loader.check((class + first).and_then(|class| class.reshape((1, 1, width))))?;
            // The misspelling is in the checkpoints.
            let before = clip.then(|| Norm::load(loader, &named("pre_layrnorm"), width, eps)).transpose()?;
            (Some(class), before, Pooling::Class)
        } else {
            let pooling = AttentionPooling::load(loader, &named("head"), config)?;
            (None, None, Pooling::Attention(Box::new(pooling)))
        };
        let registers = match vision.registers {
            0 => None,
            count => Some(loader.get("embeddings.register_tokens", &[1, count, width])?),
        };
        let bare = config.text.is_none() && !loader.weights.has("visual_projection.weight");
        let projection = if clip && !bare {
            // A vision-only configuration does not always have the length, so the tensor decides.
            let given = loader.weights.shape("visual_projection.weight").and_then(|shape| shape.first());
            let dim = if config.text.is_some() { config.projection_dim } else { given.copied().unwrap_or(0) };
            Some((Linear::new(loader.get("visual_projection.weight", &[dim, width])?, None), dim))
        } else {
            None
        };
        let dim = projection.as_ref().map_or(width, |(_, dim)| *dim);
        let tokens = loader.in_half().then(|| {
            let without: Vec<&Tensor> = class.iter().chain(&registers).collect();
            loader.check(Tokens::new(&without, &positions, bias.as_ref(), before.as_ref()))
        });
        let after = Norm::load(loader, &named("post_layernorm"), width, eps)?;
        Ok(VisionTower {
            tokens: tokens.transpose()?,
            patches: Linear::new(weight, bias).like_layers(loader)?,
            class,
            registers,
            positions,
            before,
            encoder: Encoder::load(loader, &named("encoder"), &vision.encoder, false, after)?,
            pooling,
            projection: projection.map(|(projection, _)| projection),
            image_size: vision.image_size,
            patch_size: vision.patch_size,
            dim,
        })
    }

    /// Length of a vector.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Images `[batch, 3, size, size]` to vectors `[batch, dim]`, not normalized.
    pub(crate) fn forward(&self, images: &Tensor) -> Result<Tensor> {
        self.encode(&self.cut(images)?)
    }

    /// The same of bytes, each of which becomes a number by the factor and the term of its channel; `None` if the tower takes
    /// numbers only.
    pub(crate) fn forward_bytes(&self, bytes: &Tensor, line: [[f32; 2]; 3]) -> Option<Result<Tensor>> {
        self.tokens.as_ref()?;
        Some(ops::half::patches(bytes, self.patch_size, line).and_then(|patches| self.encode(&patches)))
    }

    /// `[batch, patches, 3 * patch * patch]` to vectors.
    fn encode(&self, patches: &Tensor) -> Result<Tensor> {
        let x = match &self.tokens {
            Some(tokens) => tokens.forward(&self.patches.product(patches)?)?,
            None => self.tokens(patches)?,
        };
        let pooled = match &self.pooling {
            Pooling::Class => self.encoder.forward(x, Wanted::First)?,
            Pooling::Attention(pooling) => pooling.forward(&self.encoder.forward(x, Wanted::All)?)?,
        };
        match &self.projection {
            Some(projection) => projection.forward(&pooled),
            None => Ok(pooled),
        }
    }

    /// What each patch of one image `[1, 3, size, size]` adds to its vector by attention, `[patches, dim]`, and the sides of the grid:
    /// in CLIP that of the class token in the last third of the layers, in SigLIP that of the pooling. What perceptrons make of it is
    /// left out.
    ///
    /// Source: Y. Gandelsman, A. A. Efros, J. Steinhardt, ICLR 2024, "Interpreting CLIP's Image Representation via Text-Based
    /// Decomposition". The terms of four of twelve layers are theirs, too.
    pub(crate) fn parts(&self, images: &Tensor) -> Result<(Tensor, [usize; 2])> {
        let patches = self.cut(images)?;
        let x = match &self.tokens {
            Some(tokens) => tokens.forward(&self.patches.product(&patches)?)?,
            None => self.tokens(&patches)?,
        };
        let (side, count) = (self.image_size / self.patch_size, self.positions.dim(0)?);
        let first = x.dim(1)? - count;
        let given = match &self.pooling {
            Pooling::Class => {
                let ([out, given], norm) = self.encoder.given(&x)?;
                norm.parts(&given.narrow(0, first, count)?, &out.i(0)?)?
            }
            Pooling::Attention(pooling) => {
                let given = pooling.given(&self.encoder.forward(x, Wanted::All)?)?;
                given.to_dtype(DType::F32)?
            }
        };
        let given = match &self.projection {
            Some(projection) => projection.in_single()?.forward(&given)?,
            None => given,
        };
        Ok((given, [side, side]))
    }

    /// What goes into the first layer, step by step.
    fn tokens(&self, patches: &Tensor) -> Result<Tensor> {
        let mut x = self.patches.forward(patches)?.broadcast_add(&self.positions)?;
        let batch = x.dim(0)?;
        if let Some(registers) = &self.registers {
            x = Tensor::cat(&[&ops::repeated(registers, batch)?, &x], 1)?;
        }
        if let Some(class) = &self.class {
            x = Tensor::cat(&[&ops::repeated(class, batch)?, &x], 1)?;
        }
        match &self.before {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }

    /// `[batch, 3, size, size]` to `[batch, patches, 3 * patch * patch]`. Pixels beyond the last complete patch are
    /// ignored, as in a convolution.
    fn cut(&self, images: &Tensor) -> Result<Tensor> {
        let (batch, patch) = (images.dim(0)?, self.patch_size);
        let side = self.image_size / patch;
        let images = images.narrow(2, 0, side * patch)?.narrow(3, 0, side * patch)?.contiguous()?;
        let cut = images.reshape(&[batch, 3, side, patch, side, patch])?.permute([0, 2, 4, 1, 3, 5])?;
        cut.contiguous()?.reshape((batch, side * side, 3 * patch * patch))
    }
}

/// SigLIP's pooling: one learned query looks at all patches.
struct AttentionPooling {
    /// The learned query, projected and scaled: `[1, heads, 1, width / heads]`. It is the same for all images.
    query: Tensor,
    key_value: Linear,
    out: Linear,
    norm: Norm,
    perceptron: Perceptron,
    heads: usize,
}

impl AttentionPooling {
    fn load(loader: &Loader, name: &str, config: &ModelConfig) -> std::result::Result<Self, ClipError> {
        let encoder = &config.vision.encoder;
        let (width, heads) = (encoder.hidden_size, encoder.num_attention_heads);
        let weight = loader.get(&format!("{name}.attention.in_proj_weight"), &[3 * width, width])?;
        let bias = loader.get(&format!("{name}.attention.in_proj_bias"), &[3 * width])?;
        let probe = loader.get(&format!("{name}.probe"), &[1, 1, width])?;
        let part = |start: usize, length: usize| -> Result<Linear> {
            let weight = weight.narrow(0, start, length)?.contiguous()?;
            Ok(Linear::new(weight, Some(bias.narrow(0, start, length)?.contiguous()?)))
        };
        let scale = ((width / heads) as f64).powf(-0.5);
        let query =
            part(0, width).and_then(|query| (query.forward(&probe)? * scale)?.reshape((1, heads, 1, ())));
        Ok(AttentionPooling {
            query: loader.check(query)?,
            key_value: loader.check(part(width, 2 * width))?,
            out: Linear::load(loader, &format!("{name}.attention.out_proj"), width, width)?,
            norm: Norm::load(loader, &format!("{name}.layernorm"), width, encoder.layer_norm_eps)?,
            perceptron: Perceptron::load(loader, &format!("{name}.mlp"), encoder)?,
            heads,
        })
    }

    /// What each patch of one image adds: `[patches, width]`.
    fn given(&self, x: &Tensor) -> Result<Tensor> {
        let (_, tokens, width) = x.dims3()?;
        let key_value = self.key_value.split(x, 2, self.heads)?;
        let attention = ops::softmax(self.query.matmul(&key_value.get(0)?.t()?)?, false)?;
        let shared = key_value.get(1)?.broadcast_mul(&attention.transpose(2, 3)?.contiguous()?)?;
        self.out.product(&shared.transpose(1, 2)?.contiguous()?.reshape((tokens, width))?)
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, _, width) = x.dims3()?;
        let key_value = self.key_value.split(x, 2, self.heads)?;
        let query = ops::repeated(&self.query, batch)?;
        let attention = ops::softmax(query.matmul(&key_value.get(0)?.t()?)?, false)?;
        let mixed = self.out.forward(&attention.matmul(&key_value.get(1)?)?.reshape((batch, width))?)?;
        self.perceptron.forward(&self.norm.forward(&mixed)?, &mixed)
    }
}

#[cfg(test)]
mod tests;
