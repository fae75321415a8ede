//! Vision transformers without a text tower (Dosovitskiy et al. 2021; Hugging Face `ViTModel`): candle-transformers'
//! model on our weights. A picture's vector is its class token after the last normalization, as in the published
//! comparisons of embeddings for finding wrong images.

use crate::config::ModelConfig;
use crate::error::ClipError;
use crate::layers::Loader;
use crate::ops::Activation;
use candle_core::{DType, Device, IndexOp, Module, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, LayerNorm, VarBuilder, layer_norm};
use candle_transformers::models::vit;

pub(crate) struct VitTower {
    embeddings: vit::Embeddings,
    encoder: vit::Encoder,
    norm: LayerNorm,
    dim: usize,
}

impl VitTower {
    pub(crate) fn load(loader: &Loader, config: &ModelConfig) -> std::result::Result<VitTower, ClipError> {
        let (vision, encoder) = (&config.vision, &config.vision.encoder);
        let shape = vit::Config {
            hidden_size: encoder.hidden_size,
            num_hidden_layers: encoder.num_hidden_layers,
            num_attention_heads: encoder.num_attention_heads,
            intermediate_size: encoder.intermediate_size,
            hidden_act: match encoder.activation {
                Activation::GeluTanh => candle_nn::Activation::GeluPytorchTanh,
                _ => candle_nn::Activation::Gelu,
            },
            layer_norm_eps: encoder.layer_norm_eps,
            image_size: vision.image_size,
            patch_size: vision.patch_size,
            num_channels: 3,
            qkv_bias: vision.qkv_bias,
        };
        // A classifier has its tower one level down.
        let root = if loader.weights.has("vit.embeddings.cls_token") { "vit." } else { "" };
        let checkpoint = Checkpoint { loader, root };
        let device = loader.device.clone();
        let builder = VarBuilder::from_backend(Box::new(checkpoint), loader.dtype, device);
        let tower = || {
            Ok(VitTower {
                embeddings: vit::Embeddings::new(&shape, false, builder.pp("embeddings"))?,
                encoder: vit::Encoder::new(&shape, builder.pp("encoder"))?,
                norm: layer_norm(encoder.hidden_size, encoder.layer_norm_eps, builder.pp("layernorm"))?,
                dim: encoder.hidden_size,
            })
        };
        loader.check(tower())
    }

    /// Length of a vector.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Images `[batch, 3, size, size]` to vectors `[batch, dim]`, not normalized.
    pub(crate) fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let tokens = self.embeddings.forward(images, None, false)?;
        self.norm.forward(&self.encoder.forward(&tokens)?.i((.., 0))?)
    }
}

/// Gives the model the tensors of a checkpoint, with our errors if one is missing or has the wrong shape.
struct Checkpoint<'a> {
    loader: &'a Loader<'a>,
    root: &'static str,
}

/// What the reference implementation calls parts of a layer since its fifth version, by what published checkpoints do.
const LATER: [(&str, &str); 7] = [
    ("encoder.layer.", "layers."),
    ("attention.attention.query.", "attention.q_proj."),
    ("attention.attention.key.", "attention.k_proj."),
    ("attention.attention.value.", "attention.v_proj."),
    ("attention.output.dense.", "attention.o_proj."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
];

impl Checkpoint<'_> {
    /// The name that a tensor has in this checkpoint.
    fn name(&self, name: &str) -> String {
        let later = || LATER.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
        let names = [name.to_owned(), later()].map(|name| format!("{}{name}", self.root));
        let [published, later] = names;
        if !self.loader.weights.has(&published) && self.loader.weights.has(&later) {
            later
        } else {
            published
        }
    }
}

impl SimpleBackend for Checkpoint<'_> {
    /// In the precision and on the device of the loader, which are those of the model.
    fn get(&self, shape: Shape, name: &str, _: Init, _: DType, _: &Device) -> Result<Tensor> {
        self.loader.get(&self.name(name), shape.dims()).map_err(candle_core::Error::wrap)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let shape = self.loader.weights.shape(&self.name(name)).unwrap_or_default();
        self.get(shape.into(), name, Init::Const(0.0), dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.loader.weights.has(&self.name(name))
    }
}
