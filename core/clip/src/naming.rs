//! Names of tensors: the towers ask for the names of transformers' CLIP and SigLIP, and other layouts are translated to
//! them, where several tensors of ours may be one of theirs, or one of theirs is transposed or scaled.

/// How a checkpoint names its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// As the towers do.
    Transformers,
    /// OpenCLIP with its own vision transformer.
    OpenClip,
    /// OpenCLIP with timm's SigLIP as the image tower.
    OpenClipSiglip,
    /// transformers' DINOv2.
    Dinov2,
}

/// Where a tensor comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Tensors to put together along the first dimension; usually one.
    pub(crate) names: Vec<String>,
    /// Only this part of equal parts along the first dimension: its index, and their number.
    pub(crate) part: Option<(usize, usize)>,
    /// Whether rows and columns are exchanged.
    pub(crate) transposed: bool,
    /// A factor for each row: a tensor of one dimension.
    pub(crate) scale: Option<String>,
}

impl Origin {
    fn one(name: impl Into<String>) -> Origin {
        Origin { names: vec![name.into()], part: None, transposed: false, scale: None }
    }

    fn part(self, index: usize, of: usize) -> Origin {
        Origin { part: Some((index, of)), ..self }
    }

    fn transposed(self) -> Origin {
        Origin { transposed: true, ..self }
    }

    fn scaled(self, by: String) -> Origin {
        Origin { scale: Some(by), ..self }
    }

    /// Whether the tensor is taken as it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.names.len() == 1 && self.part.is_none() && !self.transposed && self.scale.is_none()
    }
}

impl Naming {
    /// The origin of a tensor that the towers ask for. `has` says which tensors there are, where layouts differ by
    /// version.
    pub(crate) fn origin(self, name: &str, has: &dyn Fn(&str) -> bool) -> Origin {
        match self {
            Naming::Transformers => Origin::one(name),
            Naming::OpenClip => open_clip(name, has),
            Naming::OpenClipSiglip => open_clip_siglip(name, has),
            Naming::Dinov2 => dinov2(name, has),
        }
    }
}

/// `encoder.layers.3.rest` as `3` and `rest`.
fn layer(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("encoder.layers.")?.split_once('.')
}

/// `self_attn.q_proj.weight` as `0` and `weight`: which of query, key and value, and weight or bias.
fn attention(name: &str) -> Option<(usize, &str)> {
    let (which, kind) = name.strip_prefix("self_attn.")?.split_once("_proj.")?;
    Some((["q", "k", "v"].iter().position(|known| *known == which)?, kind))
}

/// A name inside OpenCLIP's transformer at `root`.
fn block(root: &str, number: &str, rest: &str) -> Origin {
    let at = |rest: &str| format!("{root}transformer.resblocks.{number}.{rest}");
    if let Some((which, kind)) = attention(rest) {
        return Origin::one(at(&format!("attn.in_proj_{kind}"))).part(which, 3);
    }
    let theirs = [
        ("layer_norm1", "ln_1"),
        ("layer_norm2", "ln_2"),
        ("self_attn.out_proj", "attn.out_proj"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
    ];
    let found = theirs.iter().find_map(|(ours, theirs)| Some((theirs, rest.strip_prefix(ours)?)));
    Origin::one(found.map_or(at(rest), |(theirs, rest)| at(&format!("{theirs}{rest}"))))
}

/// The text tower, which is at the top or, in a newer class, under `text.`.
fn open_clip_text(name: &str, has: &dyn Fn(&str) -> bool) -> Option<Origin> {
    let root = if has("text.token_embedding.weight") { "text." } else { "" };
    let at = |name: &str| Origin::one(format!("{root}{name}"));
    if name == "text_projection.weight" {
        return Some(at("text_projection").transposed());
    }
    let rest = name.strip_prefix("text_model.")?;
    if let Some((number, rest)) = layer(rest) {
        return Some(block(root, number, rest));
    }
    Some(match rest {
        "embeddings.token_embedding.weight" => at("token_embedding.weight"),
        "embeddings.position_embedding.weight" => at("positional_embedding"),
        "final_layer_norm.weight" => at("ln_final.weight"),
        "final_layer_norm.bias" => at("ln_final.bias"),
        "head.weight" => at("text_projection.weight"),
        "head.bias" => at("text_projection.bias"),
        other => at(other),
    })
}

fn open_clip(name: &str, has: &dyn Fn(&str) -> bool) -> Origin {
    if let Some(origin) = open_clip_text(name, has) {
        return origin;
    }
    if name == "visual_projection.weight" {
        return Origin::one("visual.proj").transposed();
    }
    let Some(rest) = name.strip_prefix("vision_model.") else { return Origin::one(name) };
    if let Some((number, rest)) = layer(rest) {
        return block("visual.", number, rest);
    }
    Origin::one(match rest {
        "embeddings.patch_embedding.weight" => "visual.conv1.weight",
        "embeddings.class_embedding" => "visual.class_embedding",
        "embeddings.position_embedding.weight" => "visual.positional_embedding",
        "pre_layrnorm.weight" => "visual.ln_pre.weight",
        "pre_layrnorm.bias" => "visual.ln_pre.bias",
        "post_layernorm.weight" => "visual.ln_post.weight",
        "post_layernorm.bias" => "visual.ln_post.bias",
        other => other,
    })
}

fn open_clip_siglip(name: &str, has: &dyn Fn(&str) -> bool) -> Origin {
    if let Some(origin) = open_clip_text(name, has) {
        return origin;
    }
    let Some(rest) = name.strip_prefix("vision_model.") else { return Origin::one(name) };
    let at = |rest: &str| format!("visual.trunk.{rest}");
    if let Some((number, rest)) = layer(rest) {
        let at = |rest: &str| format!("visual.trunk.blocks.{number}.{rest}");
        if let Some((which, kind)) = attention(rest) {
            return Origin::one(at(&format!("attn.qkv.{kind}"))).part(which, 3);
        }
        let rest = rest.replace("layer_norm", "norm").replace("self_attn.out_proj", "attn.proj");
        return Origin::one(at(&rest));
    }
    if let Some(kind) = rest.strip_prefix("head.attention.in_proj_") {
        let names = ["q", "kv"].map(|which| at(&format!("attn_pool.{which}.{kind}")));
        return Origin { names: names.to_vec(), ..Origin::one("") };
    }
    if let Some(rest) = rest.strip_prefix("head.") {
        let rest = rest.replace("attention.out_proj", "proj").replace("layernorm", "norm");
        let rest = if rest == "probe" { "latent".into() } else { rest };
        return Origin::one(at(&format!("attn_pool.{rest}")));
    }
    Origin::one(at(match rest {
        "embeddings.patch_embedding.weight" => "patch_embed.proj.weight",
        "embeddings.patch_embedding.bias" => "patch_embed.proj.bias",
        "embeddings.position_embedding.weight" => "pos_embed",
        "post_layernorm.weight" => "norm.weight",
        "post_layernorm.bias" => "norm.bias",
        other => other,
    }))
}

/// Its layers are CLIP's, with a factor for each output of attention and perceptron, which becomes part of the weights.
fn dinov2(name: &str, has: &dyn Fn(&str) -> bool) -> Origin {
    let rest = name.strip_prefix("vision_model.").unwrap_or(name);
    // A classifier or a backbone has its tower one level down.
    let roots = ["", "dinov2.", "dinov2_with_registers."];
    let root = roots.into_iter().find(|root| has(&format!("{root}embeddings.cls_token"))).unwrap_or("");
    let at = |name: &str| format!("{root}{name}");
    if let Some((number, rest)) = layer(rest) {
        let at = |rest: &str| format!("{root}encoder.layer.{number}.{rest}");
        // As published, or else as in later versions of the reference implementation.
        let either = |published: String, later: String| {
            if !has(&at(&published)) && has(&at(&later)) { at(&later) } else { at(&published) }
        };
        if let Some((which, kind)) = attention(rest) {
            let (word, letter) = [("query", "q"), ("key", "k"), ("value", "v")][which];
            let published = format!("attention.attention.{word}.{kind}");
            return Origin::one(either(published, format!("attention.{letter}_proj.{kind}")));
        }
        if let Some(kind) = rest.strip_prefix("self_attn.out_proj.") {
            let name = either(format!("attention.output.dense.{kind}"), format!("attention.o_proj.{kind}"));
            return Origin::one(name).scaled(at("layer_scale1.lambda1"));
        }
        if rest.starts_with("mlp.fc2.") {
            return Origin::one(at(rest)).scaled(at("layer_scale2.lambda1"));
        }
        return Origin::one(at(&rest.replace("layer_norm", "norm")));
    }
    Origin::one(at(match rest {
        "embeddings.patch_embedding.weight" => "embeddings.patch_embeddings.projection.weight",
        "embeddings.patch_embedding.bias" => "embeddings.patch_embeddings.projection.bias",
        "embeddings.position_embedding.weight" => "embeddings.position_embeddings",
        "embeddings.class_embedding" => "embeddings.cls_token",
        "post_layernorm.weight" => "layernorm.weight",
        "post_layernorm.bias" => "layernorm.bias",
        other => other,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_translated() {
        let none = |_: &str| false;
        let one = |naming: Naming, name: &str| naming.origin(name, &none);
        let query = "vision_model.encoder.layers.2.self_attn.k_proj.bias";
        assert_eq!(
            one(Naming::OpenClip, query),
            Origin::one("visual.transformer.resblocks.2.attn.in_proj_bias").part(1, 3)
        );
        assert_eq!(
            one(Naming::OpenClipSiglip, query),
            Origin::one("visual.trunk.blocks.2.attn.qkv.bias").part(1, 3)
        );
        assert_eq!(one(Naming::Dinov2, query), Origin::one("encoder.layer.2.attention.attention.key.bias"));
        assert!(one(Naming::Transformers, query).is_plain());
        let output = one(Naming::Dinov2, "vision_model.encoder.layers.0.mlp.fc2.weight");
        assert_eq!(
            output,
            Origin::one("encoder.layer.0.mlp.fc2.weight")
                .scaled("encoder.layer.0.layer_scale2.lambda1".into())
        );
        let under = |name: &str| name == "text.token_embedding.weight";
        let text = "text_model.encoder.layers.0.layer_norm1.weight";
        assert_eq!(
            Naming::OpenClip.origin(text, &under),
            Origin::one("text.transformer.resblocks.0.ln_1.weight")
        );
        assert_eq!(
            one(Naming::OpenClip, "text_projection.weight"),
            Origin::one("text_projection").transposed()
        );
    }
}
