//! `config.json`: the shape of the towers.
//!
//! Checkpoints omit values equal to the defaults of the reference implementation, and the towers have different
//! defaults, so both are listed here. Fields that do not affect the result (dropout, initializers) are ignored.

use crate::error::ClipError;
use crate::files::{FileSet, Layout};
use crate::naming::Naming;
use crate::ops::Activation;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;

/// The types supported by [`ModelConfig::parse`], for messages.
const SUPPORTED: &str = "supported model types: clip, clip_vision_model, siglip, siglip_vision_model, vit, dinov2 and \
                         dinov2_with_registers";

/// Values of `model_type` that are supported.
pub const SUPPORTED_TYPES: [&str; 7] =
    ["clip", "clip_vision_model", "siglip", "siglip_vision_model", "vit", "dinov2", "dinov2_with_registers"];

/// Types that people ask for and that are not supported, and what to do instead.
const NOT_SUPPORTED: [(&str, &str); 4] = [
    (
        "siglip2",
        "it takes pictures of any shape (NaFlex); use a checkpoint of a fixed size, such as google/siglip2-base-patch16-224",
    ),
    ("siglip2_vision_model", "it takes pictures of any shape (NaFlex); use a checkpoint of a fixed size"),
    (
        "dinov3_vit",
        "its positions are rotations, which are not implemented; use DINOv2, such as facebook/dinov2-base",
    ),
    ("dinov3_convnext", "it is not a vision transformer; use DINOv2, such as facebook/dinov2-base"),
];
const ACTIVATIONS: &str = "supported activations: quick_gelu, gelu and gelu_pytorch_tanh";

/// Which architecture a checkpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// CLIP (Radford et al. 2021): class token, causal text tower, projections without bias.
    Clip,
    /// SigLIP (Zhai et al. 2023): attention pooling, text tower without mask.
    Siglip,
    /// A vision transformer (Dosovitskiy et al. 2021): class token, no text tower.
    Vit,
    /// DINOv2 (Oquab et al. 2023), with or without registers: class token, no text tower, pictures of any size.
    Dinov2,
}

/// One tower's transformer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct EncoderConfig {
    /// Width of a token.
    pub(crate) hidden_size: usize,
    /// Width inside the two-layer perceptron.
    pub(crate) intermediate_size: usize,
    /// Layers.
    pub(crate) num_hidden_layers: usize,
    /// Attention heads, a divisor of `hidden_size`.
    pub(crate) num_attention_heads: usize,
    /// Added to the variance before taking the square root.
    pub(crate) layer_norm_eps: f64,
    /// The perceptron's activation.
    pub(crate) activation: Activation,
}

/// The `model_type` of an image tower of EfficientNet-Lite0.
const LITE0_TYPE: &str = "efficientnet_lite0";
/// Channels of its pooled features.
pub(crate) const LITE0_FEATURES: usize = 1280;
/// Pixels of the picture per position of its last layer.
const LITE0_STRIDE: usize = 32;

/// What an image tower is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backbone {
    /// A vision transformer.
    Transformer,
    /// EfficientNet-Lite0, see `lite0`.
    Lite0,
}

/// The image tower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct VisionConfig {
    /// What it is made of.
    pub(crate) backbone: Backbone,
    /// Its transformer.
    pub(crate) encoder: EncoderConfig,
    /// Side of the square input in pixels.
    pub(crate) image_size: usize,
    /// Side of the pictures whose positions were trained; only DINOv2 takes others.
    pub(crate) trained_size: usize,
    /// Side of a patch in pixels.
    pub(crate) patch_size: usize,
    /// Tokens between the class and the patches that belong to no patch.
    pub(crate) registers: usize,
    /// Whether queries, keys and values have biases; only vision transformers can lack them.
    pub(crate) qkv_bias: bool,
}

/// The text tower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TextConfig {
    /// Its transformer.
    pub(crate) encoder: EncoderConfig,
    /// Tokens in the vocabulary.
    pub(crate) vocab_size: usize,
    /// The longest input in tokens, including the first and last one.
    pub(crate) max_position_embeddings: usize,
    /// The end-of-text token as configured; old CLIP configurations have a wrong value of 2.
    pub(crate) eos_token_id: u32,
    /// The padding token of SigLIP, if the configuration names one; the tokenizer's takes precedence.
    pub(crate) pad_token_id: Option<u32>,
    /// Length of SigLIP's text vector.
    pub(crate) projection_size: usize,
    /// What is done to a text before the tokenizer sees it.
    pub(crate) cleaning: Cleaning,
}

/// What is done to a text before the tokenizer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cleaning {
    /// Nothing; CLIP's tokenizers do what is needed.
    None,
    /// Lower case, as SigLIP was trained.
    Lower,
    /// Lower case, no punctuation, single blanks: OpenCLIP's `canonicalize`.
    Canonical,
}

/// A checkpoint's configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ModelConfig {
    /// The architecture.
    pub(crate) family: Family,
    /// How the weights are named.
    pub(crate) naming: Naming,
    /// The image tower.
    pub(crate) vision: VisionConfig,
    /// The text tower, if there is one.
    pub(crate) text: Option<TextConfig>,
    /// Length of CLIP's vectors after the projections.
    pub(crate) projection_dim: usize,
}

/// The fields of either tower, all optional.
#[derive(Deserialize, Default)]
struct Section {
    model_type: Option<String>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_channels: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    image_size: Option<usize>,
    patch_size: Option<usize>,
    vocab_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    eos_token_id: Option<u32>,
    pad_token_id: Option<u32>,
    projection_dim: Option<usize>,
    projection_size: Option<usize>,
    vision_use_head: Option<bool>,
    qkv_bias: Option<bool>,
    mlp_ratio: Option<f64>,
    use_swiglu_ffn: Option<bool>,
    num_register_tokens: Option<usize>,
}

/// What CLIP subtracts from colors between 0 and 1, and divides them by.
pub(crate) const CLIP_MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// See [`CLIP_MEAN`].
pub(crate) const CLIP_STD: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// Defaults of the reference implementation.
struct Defaults {
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    layer_norm_eps: f64,
    activation: &'static str,
}

const CLIP_VISION: Defaults = Defaults {
    hidden_size: 768,
    intermediate_size: 3072,
    num_attention_heads: 12,
    layer_norm_eps: 1e-5,
    activation: "quick_gelu",
};
const CLIP_TEXT: Defaults =
    Defaults { hidden_size: 512, intermediate_size: 2048, num_attention_heads: 8, ..CLIP_VISION };
const SIGLIP: Defaults = Defaults { layer_norm_eps: 1e-6, activation: "gelu_pytorch_tanh", ..CLIP_VISION };
const VIT: Defaults = Defaults { layer_norm_eps: 1e-12, activation: "gelu", ..CLIP_VISION };
const DINOV2: Defaults = Defaults { layer_norm_eps: 1e-6, activation: "gelu", ..CLIP_VISION };

impl ModelConfig {
    /// What the configuration among the files of a checkpoint says.
    ///
    /// # Errors
    /// When it is missing or cannot be read, or the architecture is not supported.
    pub(crate) fn of(layout: Layout, files: &FileSet) -> Result<ModelConfig, ClipError> {
        let name = layout.config();
        let missing = || ClipError::NoFile { folder: Path::new("").into(), wanted: name.into() };
        let path = files.get(name).ok_or_else(missing)?;
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|source| ClipError::Read { path: path.into(), source })?;
        ModelConfig::parse_as(layout, &text, path)
    }

    /// Reads the text of a layout's configuration; `path` is for messages only.
    ///
    /// # Errors
    /// When it is not valid JSON, a number is out of range, or the architecture is not supported.
    pub(crate) fn parse_as(layout: Layout, text: &str, path: &Path) -> Result<ModelConfig, ClipError> {
        match layout {
            Layout::HuggingFace => ModelConfig::parse(text, path),
            Layout::OpenClip => ModelConfig::parse_open_clip(text, path),
        }
    }

    /// Reads the text of a `config.json`; `path` is for messages only.
    ///
    /// # Errors
    /// When it is not valid JSON, a number is out of range, or the architecture is not supported.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<ModelConfig, ClipError> {
        let reading = Reading { path };
        let whole: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| reading.wrong(format!("it is not a JSON object: {error}")))?;
        let kind = whole.get("model_type").and_then(Value::as_str).unwrap_or_default();
        let (family, both) = match kind {
            "clip" => (Family::Clip, true),
            "clip_vision_model" => (Family::Clip, false),
            "siglip" => (Family::Siglip, true),
            "siglip_vision_model" => (Family::Siglip, false),
            "vit" => (Family::Vit, false),
            "dinov2" | "dinov2_with_registers" => (Family::Dinov2, false),
            "" => return Err(reading.wrong("it has no model_type".into())),
            other => {
                let known = NOT_SUPPORTED.iter().find(|(kind, _)| *kind == other);
                let supported = known.map_or(SUPPORTED, |(_, instead)| *instead);
                return Err(reading.unsupported(format!("model_type {other:?}"), supported));
            }
        };
        // In a vision-only configuration, the file itself is the section.
        let vision = if both { reading.section(&whole, "vision")? } else { reading.fields(&whole)? };
        let text = if both { Some(reading.section(&whole, "text")?) } else { None };
        let top = reading.fields(&whole)?;
        let registers = kind == "dinov2_with_registers";
        Ok(ModelConfig {
            family,
            naming: if family == Family::Dinov2 { Naming::Dinov2 } else { Naming::Transformers },
            vision: reading.vision(family, vision, registers)?,
            text: text.map(|section| reading.text(family, section)).transpose()?,
            projection_dim: reading.positive("projection_dim", top.projection_dim.unwrap_or(512))?,
        })
    }
}

mod open_clip;

pub(crate) use open_clip::preprocessor;

/// Reads one file; knows its name for messages.
struct Reading<'a> {
    path: &'a Path,
}

impl Reading<'_> {
    fn wrong(&self, reason: String) -> ClipError {
        ClipError::Config { path: self.path.into(), reason }
    }

    fn unsupported(&self, what: String, supported: &'static str) -> ClipError {
        ClipError::Unsupported { path: self.path.into(), what, supported }
    }

    /// `vision_config` or `text_config`. If an old file also has `vision_config_dict` or `text_config_dict`, that takes
    /// precedence, as in the reference implementation.
    fn section(&self, whole: &Map<String, Value>, tower: &str) -> Result<Section, ClipError> {
        let names = [format!("{tower}_config_dict"), format!("{tower}_config")];
        for name in names {
            match whole.get(&name) {
                None | Some(Value::Null) => {}
                Some(Value::Object(fields)) => return self.fields(fields),
                Some(_) => return Err(self.wrong(format!("{name} is not an object"))),
            }
        }
        Ok(Section::default())
    }

    fn fields(&self, fields: &Map<String, Value>) -> Result<Section, ClipError> {
        serde_json::from_value(Value::Object(fields.clone())).map_err(|error| self.wrong(error.to_string()))
    }

    fn positive(&self, name: &str, value: usize) -> Result<usize, ClipError> {
        // The limit keeps products of two such numbers far from overflow.
        if value == 0 || value > 1 << 24 {
            return Err(self.wrong(format!("{name} is {value}")));
        }
        Ok(value)
    }

    fn encoder(&self, section: &Section, defaults: &Defaults) -> Result<EncoderConfig, ClipError> {
        let name = section.hidden_act.as_deref().unwrap_or(defaults.activation);
        let Some(activation) = Activation::from_name(name) else {
            return Err(self.unsupported(format!("hidden_act {name:?}"), ACTIVATIONS));
        };
        let size = |name, given: Option<usize>, default| self.positive(name, given.unwrap_or(default));
        let encoder = EncoderConfig {
            hidden_size: size("hidden_size", section.hidden_size, defaults.hidden_size)?,
            intermediate_size: size(
                "intermediate_size",
                section.intermediate_size,
                defaults.intermediate_size,
            )?,
            num_hidden_layers: size("num_hidden_layers", section.num_hidden_layers, 12)?,
            num_attention_heads: size(
                "num_attention_heads",
                section.num_attention_heads,
                defaults.num_attention_heads,
            )?,
            layer_norm_eps: section.layer_norm_eps.unwrap_or(defaults.layer_norm_eps),
            activation,
        };
        let (hidden, heads) = (encoder.hidden_size, encoder.num_attention_heads);
        if hidden % heads != 0 {
            return Err(
                self.wrong(format!("hidden_size {hidden} is not a multiple of num_attention_heads {heads}"))
            );
        }
        if !(0.0..1.0).contains(&encoder.layer_norm_eps) {
            return Err(self.wrong(format!("layer_norm_eps is {}", encoder.layer_norm_eps)));
        }
        Ok(encoder)
    }

    fn vision(
        &self,
        family: Family,
        mut section: Section,
        registers: bool,
    ) -> Result<VisionConfig, ClipError> {
        let (defaults, patch) = match family {
            Family::Clip => (&CLIP_VISION, 32),
            Family::Siglip => (&SIGLIP, 16),
            Family::Vit => (&VIT, 16),
            Family::Dinov2 => (&DINOV2, 14),
        };
        if family == Family::Clip && section.model_type.as_deref() == Some(LITE0_TYPE) {
            return self.lite0(&section);
        }
        if family == Family::Dinov2 {
            self.only_dinov2(&mut section)?;
        }
        let image_size = self.positive("image_size", section.image_size.unwrap_or(224))?;
        let patch_size = self.positive("patch_size", section.patch_size.unwrap_or(patch))?;
        if patch_size > image_size || image_size > 4096 {
            return Err(
                self.wrong(format!("image_size {image_size} and patch_size {patch_size} are incompatible"))
            );
        }
        if let Some(channels) = section.num_channels.filter(|&channels| channels != 3) {
            return Err(self.unsupported(format!("num_channels {channels}"), "images must have 3 channels"));
        }
        if section.vision_use_head == Some(false) {
            return Err(self.unsupported("vision_use_head false".into(), "the model needs a pooling head"));
        }
        let encoder = self.encoder(&section, defaults)?;
        if family == Family::Vit && encoder.activation == Activation::QuickGelu {
            return Err(self.unsupported("hidden_act quick_gelu".into(), "vision transformers must use gelu"));
        }
        let qkv_bias = section.qkv_bias.unwrap_or(true);
        let registers = if registers { section.num_register_tokens.unwrap_or(4) } else { 0 };
        if registers > 1 << 10 {
            return Err(self.wrong(format!("num_register_tokens is {registers}")));
        }
        let backbone = Backbone::Transformer;
        let trained_size = image_size;
        Ok(VisionConfig { backbone, encoder, image_size, trained_size, patch_size, registers, qkv_bias })
    }

    /// A convolutional tower beside CLIP's text tower.
    fn lite0(&self, section: &Section) -> Result<VisionConfig, ClipError> {
        let image_size = self.positive("image_size", section.image_size.unwrap_or(224))?;
        if !(32..=1024).contains(&image_size) {
            return Err(self.wrong(format!("image_size {image_size} is not between 32 and 1024")));
        }
        let encoder = EncoderConfig {
            hidden_size: LITE0_FEATURES,
            intermediate_size: LITE0_FEATURES,
            num_hidden_layers: 16,
            num_attention_heads: 1,
            layer_norm_eps: CLIP_VISION.layer_norm_eps,
            activation: Activation::QuickGelu,
        };
        Ok(VisionConfig {
            backbone: Backbone::Lite0,
            encoder,
            image_size,
            trained_size: image_size,
            patch_size: LITE0_STRIDE,
            registers: 0,
            qkv_bias: true,
        })
    }

    /// DINOv2 gives the inner width as a ratio, and its largest size has another perceptron.
    fn only_dinov2(&self, section: &mut Section) -> Result<(), ClipError> {
        if section.use_swiglu_ffn == Some(true) {
            let instead = "the giant size is not implemented; use facebook/dinov2-large or a smaller one";
            return Err(self.unsupported("use_swiglu_ffn true".into(), instead));
        }
        if section.qkv_bias == Some(false) {
            return Err(self.unsupported("qkv_bias false".into(), "DINOv2 has biases"));
        }
        let ratio = section.mlp_ratio.unwrap_or(4.0);
        if !(ratio > 0.0 && ratio <= 64.0) {
            return Err(self.wrong(format!("mlp_ratio is {ratio}")));
        }
        let hidden = self.positive("hidden_size", section.hidden_size.unwrap_or(DINOV2.hidden_size))?;
        section.intermediate_size = Some((hidden as f64 * ratio) as usize);
        Ok(())
    }

    fn text(&self, family: Family, section: Section) -> Result<TextConfig, ClipError> {
        let (defaults, vocabulary, context) = match family {
            Family::Clip => (&CLIP_TEXT, 49408, 77),
            // Vision transformers have none.
            Family::Siglip | Family::Vit | Family::Dinov2 => (&SIGLIP, 32000, 64),
        };
        let encoder = self.encoder(&section, defaults)?;
        let context = section.max_position_embeddings.unwrap_or(context);
        if !(2..=1 << 16).contains(&context) {
            return Err(self.wrong(format!("max_position_embeddings is {context}")));
        }
        Ok(TextConfig {
            encoder,
            vocab_size: self.positive("vocab_size", section.vocab_size.unwrap_or(vocabulary))?,
            max_position_embeddings: context,
            eos_token_id: section.eos_token_id.unwrap_or(49407),
            pad_token_id: section.pad_token_id,
            projection_size: section.projection_size.unwrap_or(encoder.hidden_size),
            cleaning: if family == Family::Siglip { Cleaning::Lower } else { Cleaning::None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ModelConfig, String> {
        ModelConfig::parse(text, Path::new("m/config.json")).map_err(|error| error.to_string())
    }

    #[test]
    fn silence_means_the_defaults_of_each_tower() {
        let config = parse(r#"{"model_type": "clip", "text_config": {}, "vision_config": null}"#).unwrap();
        let vision = config.vision;
        assert_eq!((vision.encoder.hidden_size, vision.encoder.intermediate_size), (768, 3072));
        assert_eq!((vision.encoder.num_attention_heads, vision.image_size, vision.patch_size), (12, 224, 32));
        let text = config.text.unwrap();
        assert_eq!((text.encoder.hidden_size, text.encoder.intermediate_size), (512, 2048));
        assert_eq!((text.encoder.num_attention_heads, text.encoder.num_hidden_layers), (8, 12));
        assert_eq!((text.vocab_size, text.max_position_embeddings, text.eos_token_id), (49408, 77, 49407));
        assert_eq!(text.encoder.activation, Activation::QuickGelu);
        assert_eq!(config.projection_dim, 512);
    }

    #[test]
    fn an_old_dict_replaces_its_section() {
        let text = r#"{"model_type": "clip",
            "text_config": {"hidden_size": 64, "vocab_size": 99}, "text_config_dict": {"hidden_size": 128},
            "vision_config": {"patch_size": 14}, "vision_config_dict": null}"#;
        let config = parse(text).unwrap();
        assert_eq!(config.text.unwrap().encoder.hidden_size, 128);
        assert_eq!(config.text.unwrap().vocab_size, 49408);
        assert_eq!(config.vision.patch_size, 14);
    }

    #[test]
    fn what_is_not_implemented_is_refused_by_name() {
        let refused = |text: &str, words: &[&str]| {
            let error = parse(text).unwrap_err();
            words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
        };
        refused(r#"{"model_type": "blip"}"#, &["m/config.json", "blip", "siglip"]);
        refused(r#"{}"#, &["no model_type"]);
        refused("[1]", &["not a JSON object"]);
        refused(r#"{"model_type": "siglip2"}"#, &["siglip2", "NaFlex", "google/siglip2-base-patch16-224"]);
        refused(r#"{"model_type": "dinov3_vit"}"#, &["dinov3_vit", "rotations", "facebook/dinov2-base"]);
        refused(r#"{"model_type": "dinov2", "use_swiglu_ffn": true}"#, &["use_swiglu_ffn", "dinov2-large"]);
        let silu = r#"{"model_type": "clip", "text_config": {"hidden_act": "silu"}}"#;
        refused(silu, &["silu", "quick_gelu"]);
        refused(r#"{"model_type": "clip", "vision_config": {"hidden_size": 10}}"#, &["10", "12"]);
        refused(r#"{"model_type": "clip", "vision_config": {"patch_size": 0}}"#, &["patch_size is 0"]);
        refused(r#"{"model_type": "clip", "vision_config": {"num_channels": 4}}"#, &["num_channels 4"]);
        refused(r#"{"model_type": "clip", "text_config": {"vocab_size": "many"}}"#, &["invalid type"]);
    }
}
