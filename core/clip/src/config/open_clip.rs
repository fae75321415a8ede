//! `open_clip_config.json`: the shape of the towers as OpenCLIP and timm write it.
//!
//! Its own vision transformer and timm's SigLIP are read. Whatever else a configuration asks for changes the numbers, so
//! every unknown key that is not switched off is refused by name.

use super::{Backbone, Cleaning, EncoderConfig, Family, ModelConfig, Reading, TextConfig, VisionConfig};
use crate::error::ClipError;
use crate::naming::Naming;
use crate::ops::Activation;
use serde_json::{Map, Value};
use std::path::Path;

const SUPPORTED: &str = "supported are OpenCLIP's own vision transformers and timm's SigLIP";

/// Keys that do not change a picture's vector, or are read below.
const TOP: [&str; 8] = [
    "embed_dim",
    "vision_cfg",
    "text_cfg",
    "quick_gelu",
    "custom_text",
    "init_logit_bias",
    "init_logit_scale",
    "nonscalar_logit_scale",
];
const VISION: [&str; 13] = [
    "image_size",
    "layers",
    "width",
    "head_width",
    "mlp_ratio",
    "patch_size",
    "patch_dropout",
    "act_kwargs",
    "norm_kwargs",
    "output_tokens",
    "attn_pooler_queries",
    "attn_pooler_heads",
    "timm_drop",
];
const TIMM: [&str; 9] = [
    "image_size",
    "timm_model_name",
    "timm_model_pretrained",
    "timm_pool",
    "timm_proj",
    "timm_proj_bias",
    "timm_drop",
    "timm_drop_path",
    "patch_dropout",
];
const TEXT: [&str; 17] = [
    "context_length",
    "vocab_size",
    "hf_tokenizer_name",
    "tokenizer_kwargs",
    "width",
    "heads",
    "layers",
    "mlp_ratio",
    "pool_type",
    "no_causal_mask",
    "proj_bias",
    "proj_type",
    "norm_kwargs",
    "act_kwargs",
    "pad_id",
    "eos_id",
    "hf_model_pretrained",
];

/// Activations of timm's SigLIP by name: these have the formula with `tanh`, the others the exact one.
const TANH: [&str; 7] = [
    "vit_base_patch32_siglip_256",
    "vit_large_patch16_siglip_512",
    "vit_so400m_patch16_siglip_256",
    "vit_so400m_patch16_siglip_384",
    "vit_so400m_patch16_siglip_512",
    "vit_giantopt_patch16_siglip_256",
    "vit_giantopt_patch16_siglip_384",
];

/// Sizes of timm's SigLIP by the second part of its name: width, inner width, layers and heads.
const SIZES: [(&str, [usize; 4]); 4] = [
    ("base", [768, 3072, 12, 12]),
    ("large", [1024, 4096, 24, 16]),
    ("so400m", [1152, 4304, 27, 16]),
    ("giantopt", [1536, 6144, 40, 16]),
];

/// The fields of one object.
struct Fields<'a> {
    reading: &'a Reading<'a>,
    name: &'static str,
    fields: &'a Map<String, Value>,
}

impl Fields<'_> {
    fn value(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, value: &Value) -> ClipError {
        self.reading.wrong(format!("{}.{key} is {value}", self.name))
    }

    fn refused(&self, key: &str, value: &Value) -> ClipError {
        self.reading.unsupported(format!("{}.{key} {value}", self.name), SUPPORTED)
    }

    /// Refuses every other key that is not switched off.
    fn only(&self, known: &[&str]) -> Result<(), ClipError> {
        for (key, value) in self.fields {
            let off = match value {
                Value::Null | Value::Bool(false) => true,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty() || (key == "pos_embed_type" && text == "learnable"),
                Value::Array(_) | Value::Object(_) | Value::Bool(true) => false,
            };
            if !off && !known.contains(&key.as_str()) {
                return Err(self.refused(key, value));
            }
        }
        Ok(())
    }

    fn size(&self, key: &str, default: usize) -> Result<usize, ClipError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        self.reading.positive(&format!("{}.{key}", self.name), size.ok_or_else(|| self.wrong(key, value))?)
    }

    /// A side, also as a list of two that are equal.
    fn side(&self, key: &str, default: usize) -> Result<usize, ClipError> {
        let Some(value @ Value::Array(sides)) = self.value(key) else { return self.size(key, default) };
        match sides.as_slice() {
            [a, b] if a == b => {
                let side = a.as_u64().and_then(|side| usize::try_from(side).ok());
                self.reading.positive(key, side.ok_or_else(|| self.wrong(key, value))?)
            }
            _ => Err(self.refused(key, value)),
        }
    }

    fn number(&self, key: &str, default: f64) -> Result<f64, ClipError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        value.as_f64().ok_or_else(|| self.wrong(key, value))
    }

    fn flag(&self, key: &str) -> bool {
        self.value(key).and_then(Value::as_bool).unwrap_or(false)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.value(key).and_then(Value::as_str)
    }

    /// `norm_kwargs` and `act_kwargs`.
    fn options(&self, key: &'static str) -> Result<Fields<'_>, ClipError> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let fields = match self.value(key) {
            None => &*NONE,
            Some(Value::Object(fields)) => fields,
            Some(other) => return Err(self.wrong(key, other)),
        };
        Ok(Fields { reading: self.reading, name: key, fields })
    }

    fn encoder(&self, [width, layers, heads]: [usize; 3], quick: bool) -> Result<EncoderConfig, ClipError> {
        let ratio = self.number("mlp_ratio", 4.0)?;
        let inner = (width as f64 * ratio) as usize;
        let (norm, act) = (self.options("norm_kwargs")?, self.options("act_kwargs")?);
        norm.only(&["eps"])?;
        act.only(&["approximate"])?;
        let activation = match (quick, act.text("approximate")) {
            (true, _) => Activation::QuickGelu,
            (false, Some("tanh")) => Activation::GeluTanh,
            (false, None | Some("none")) => Activation::Gelu,
            (false, Some(other)) => return Err(act.refused("approximate", &other.into())),
        };
        let encoder = EncoderConfig {
            hidden_size: width,
            intermediate_size: self.reading.positive("mlp_ratio", inner)?,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            layer_norm_eps: norm.number("eps", 1e-5)?,
            activation,
        };
        if heads == 0 || width % heads != 0 {
            return Err(self.reading.wrong(format!("width {width} is not a multiple of {heads} heads")));
        }
        if !(0.0..1.0).contains(&encoder.layer_norm_eps) {
            return Err(self.reading.wrong(format!("eps is {}", encoder.layer_norm_eps)));
        }
        Ok(encoder)
    }

    fn vision(&self, quick: bool) -> Result<VisionConfig, ClipError> {
        if let Some(layers @ Value::Array(_)) = self.value("layers") {
            return Err(self.refused("layers", layers));
        }
        self.only(&VISION)?;
        let (width, head) = (self.size("width", 768)?, self.size("head_width", 64)?);
        let encoder = self.encoder([width, self.size("layers", 12)?, width / head], quick)?;
        self.picture(encoder, self.size("patch_size", 16)?)
    }

    fn siglip(&self, name: &str) -> Result<VisionConfig, ClipError> {
        let model = Value::from(name);
        let parts: Vec<&str> = name.split('_').collect();
        let ["vit", size, patch, "siglip", _] = parts.as_slice() else {
            return Err(self.refused("timm_model_name", &model));
        };
        let known = SIZES.iter().find(|(known, _)| known == size);
        let patch = patch.strip_prefix("patch").and_then(|patch| patch.parse().ok());
        let (Some((_, [width, inner, layers, heads])), Some(patch)) = (known, patch) else {
            return Err(self.refused("timm_model_name", &model));
        };
        for (key, wanted) in [("timm_pool", "map"), ("timm_proj", "none")] {
            let given = self.value(key).cloned().unwrap_or_default();
            let proj = key == "timm_proj" && (given.is_null() || given == "");
            if given != wanted && !proj {
                return Err(self.refused(key, &given));
            }
        }
        self.only(&TIMM)?;
        let encoder = EncoderConfig {
            hidden_size: *width,
            intermediate_size: *inner,
            num_hidden_layers: *layers,
            num_attention_heads: *heads,
            layer_norm_eps: 1e-6,
            activation: if TANH.contains(&name) { Activation::GeluTanh } else { Activation::Gelu },
        };
        self.picture(encoder, patch)
    }

    fn picture(&self, encoder: EncoderConfig, patch_size: usize) -> Result<VisionConfig, ClipError> {
        let image_size = self.side("image_size", 224)?;
        if patch_size == 0 || patch_size > image_size || image_size > 4096 {
            return Err(self
                .reading
                .wrong(format!("image_size {image_size} and patch_size {patch_size} are incompatible")));
        }
        Ok(VisionConfig {
            backbone: Backbone::Transformer,
            encoder,
            image_size,
            trained_size: image_size,
            patch_size,
            registers: 0,
            qkv_bias: true,
        })
    }

    fn texts(&self, family: Family, quick: bool, dim: usize) -> Result<TextConfig, ClipError> {
        if let Some(name) = self.value("hf_model_name") {
            return Err(self.refused("hf_model_name", name));
        }
        self.only(&TEXT)?;
        let siglip = family == Family::Siglip;
        // What is read at the end of a text, and whether tokens see those behind them, belong together.
        let (pool, causal) = (self.text("pool_type").unwrap_or("argmax"), !self.flag("no_causal_mask"));
        let (pool_wanted, causal_wanted) = if siglip { ("last", false) } else { ("argmax", true) };
        if pool != pool_wanted {
            return Err(self.refused("pool_type", &pool.into()));
        }
        if causal != causal_wanted {
            return Err(self.refused("no_causal_mask", &(!causal).into()));
        }
        if self.flag("proj_bias") != siglip {
            return Err(self.refused("proj_bias", &(!siglip).into()));
        }
        if let Some(kind) = self.text("proj_type").filter(|kind| *kind != "linear") {
            return Err(self.refused("proj_type", &kind.into()));
        }
        let width = self.size("width", 512)?;
        let encoder = self.encoder([width, self.size("layers", 12)?, self.size("heads", 8)?], quick)?;
        let context = self.size("context_length", 77)?;
        if !(2..=1 << 16).contains(&context) {
            return Err(self.reading.wrong(format!("context_length is {context}")));
        }
        let kwargs = self.options("tokenizer_kwargs")?;
        kwargs.only(&["clean"])?;
        let cleaning = match kwargs.text("clean") {
            Some("canonicalize") => Cleaning::Canonical,
            Some("lower") => Cleaning::Lower,
            None | Some("whitespace") => Cleaning::None,
            Some(other) => return Err(kwargs.refused("clean", &other.into())),
        };
        Ok(TextConfig {
            encoder,
            vocab_size: self.size("vocab_size", 49408)?,
            max_position_embeddings: context,
            // The largest id, which is where OpenCLIP looks.
            eos_token_id: 2,
            pad_token_id: None,
            projection_size: dim,
            cleaning,
        })
    }
}

impl ModelConfig {
    /// Reads the text of an `open_clip_config.json`; `path` is for messages only.
    ///
    /// # Errors
    /// When it is not valid JSON, a number is out of range, or the architecture is not supported.
    pub(crate) fn parse_open_clip(text: &str, path: &Path) -> Result<ModelConfig, ClipError> {
        let reading = Reading { path };
        let whole: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| reading.wrong(format!("it is not a JSON object: {error}")))?;
        let object = |name: &'static str, within: &'_ Map<String, Value>| match within.get(name) {
            Some(Value::Object(fields)) => Ok(fields.clone()),
            _ => Err(reading.wrong(format!("it has no {name}"))),
        };
        let model = object("model_cfg", &whole)?;
        let (vision, text) = (object("vision_cfg", &model)?, object("text_cfg", &model)?);
        let model = Fields { reading: &reading, name: "model_cfg", fields: &model };
        let vision = Fields { reading: &reading, name: "vision_cfg", fields: &vision };
        let text = Fields { reading: &reading, name: "text_cfg", fields: &text };
        model.only(&TOP)?;
        let quick = model.flag("quick_gelu");
        let Some(dim) = model.value("embed_dim") else {
            return Err(reading.wrong("it has no embed_dim".into()));
        };
        let dim = dim
            .as_u64()
            .and_then(|dim| usize::try_from(dim).ok())
            .ok_or_else(|| model.wrong("embed_dim", dim))?;
        let dim = reading.positive("embed_dim", dim)?;
        let (family, naming, vision) = match vision.text("timm_model_name") {
            Some(name) => (Family::Siglip, Naming::OpenClipSiglip, vision.siglip(name)?),
            None => (Family::Clip, Naming::OpenClip, vision.vision(quick)?),
        };
        if family == Family::Siglip && vision.encoder.hidden_size != dim {
            return Err(reading.wrong(format!("embed_dim {dim} is not the width of the image tower")));
        }
        let text = Some(text.texts(family, quick, dim)?);
        Ok(ModelConfig { family, naming, vision, text, projection_dim: dim })
    }
}

/// `preprocess_cfg` in the words of a `preprocessor_config.json`, for a tower of that side.
///
/// # Errors
/// When it asks for something that is not supported.
pub(crate) fn preprocessor(text: &str, path: &Path, size: usize) -> Result<String, ClipError> {
    let reading = Reading { path };
    let whole: Value = serde_json::from_str(text).map_err(|error| reading.wrong(error.to_string()))?;
    let none = Map::new();
    let fields = whole["preprocess_cfg"].as_object().unwrap_or(&none);
    let fields = Fields { reading: &reading, name: "preprocess_cfg", fields };
    fields.only(&["mean", "std", "interpolation", "resize_mode", "size", "mode", "fill_color"])?;
    let three = |key: &str, default: [f64; 3]| match fields.value(key) {
        None => Ok(serde_json::json!(default)),
        Some(Value::Number(one)) => Ok(serde_json::json!([one, one, one])),
        Some(list @ Value::Array(_)) => Ok(list.clone()),
        Some(other) => Err(fields.wrong(key, other)),
    };
    let resample = match fields.text("interpolation").unwrap_or("bicubic") {
        "bicubic" | "random" => 3,
        "bilinear" => 2,
        other => return Err(fields.refused("interpolation", &other.into())),
    };
    let squash = match fields.text("resize_mode").unwrap_or("shortest") {
        "shortest" => false,
        "squash" => true,
        other => return Err(fields.refused("resize_mode", &other.into())),
    };
    let square = serde_json::json!({"height": size, "width": size});
    let resized = if squash { square.clone() } else { serde_json::json!({"shortest_edge": size}) };
    Ok(serde_json::json!({
        "size": resized,
        "do_center_crop": !squash,
        "crop_size": square,
        "resample": resample,
        "image_mean": three("mean", super::CLIP_MEAN)?,
        "image_std": three("std", super::CLIP_STD)?,
        "crop_rounds_to_even": !squash,
    })
    .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ModelConfig, String> {
        ModelConfig::parse_open_clip(text, Path::new("m/open_clip_config.json"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn published_configurations_are_read() {
        let laion = r#"{"model_cfg": {"embed_dim": 512, "vision_cfg": {"image_size": 224, "layers": 12, "width": 768,
            "patch_size": 32}, "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8,
            "layers": 12}}, "preprocess_cfg": {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}}"#;
        let config = parse(laion).unwrap();
        assert_eq!(
            (config.family, config.naming, config.projection_dim),
            (Family::Clip, Naming::OpenClip, 512)
        );
        assert_eq!(config.vision.encoder.num_attention_heads, 12);
        assert_eq!(config.vision.encoder.activation, Activation::Gelu);
        let siglip = r#"{"model_cfg": {"embed_dim": 768, "init_logit_bias": -10, "custom_text": true,
            "vision_cfg": {"image_size": 224, "timm_model_name": "vit_base_patch16_siglip_224",
            "timm_model_pretrained": false, "timm_pool": "map", "timm_proj": "none"},
            "text_cfg": {"context_length": 64, "vocab_size": 32000, "hf_tokenizer_name": "timm/ViT-B-16-SigLIP",
            "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 768, "heads": 12, "layers": 12,
            "no_causal_mask": true, "proj_bias": true, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}}}"#;
        let config = parse(siglip).unwrap();
        assert_eq!((config.family, config.naming), (Family::Siglip, Naming::OpenClipSiglip));
        let text = config.text.unwrap();
        assert_eq!((text.cleaning, text.encoder.layer_norm_eps), (Cleaning::Canonical, 1e-6));
    }

    #[test]
    fn what_would_change_the_numbers_is_refused_by_name() {
        let refused = |vision: &str, text: &str, words: &[&str]| {
            let whole = format!(
                r#"{{"model_cfg": {{"embed_dim": 32, "vision_cfg": {vision}, "text_cfg": {text}}}}}"#
            );
            let error = parse(&whole).unwrap_err();
            words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
        };
        refused(r#"{"layers": [3, 4, 6, 3]}"#, "{}", &["open_clip_config.json", "layers [3,4,6,3]"]);
        refused(
            r#"{"timm_model_name": "eva02_base_patch16_clip_224"}"#,
            "{}",
            &["eva02_base_patch16_clip_224"],
        );
        refused(r#"{"timm_model_name": "vit_base_mci_224"}"#, "{}", &["vit_base_mci_224", "timm's SigLIP"]);
        refused(r#"{"ls_init_value": 0.1}"#, "{}", &["ls_init_value"]);
        refused(r#"{"attentional_pool": true}"#, "{}", &["attentional_pool"]);
        refused("{}", r#"{"hf_model_name": "roberta-base"}"#, &["hf_model_name", "roberta-base"]);
        refused("{}", r#"{"pool_type": "eos"}"#, &["pool_type", "eos"]);
        refused("{}", r#"{"something_new": 3}"#, &["something_new"]);
        refused(r#"{"width": 32}"#, "{}", &["width 32", "0 heads"]);
        assert!(parse("{}").unwrap_err().contains("model_cfg"));
    }
}
