//! The text tower.
//!
//! Source: Radford et al. 2021, Zhai et al. 2023; layout and order of operations as in the reference implementation
//! (Hugging Face `CLIPTextModelWithProjection`, `SiglipTextModel`).

use crate::config::{Family, ModelConfig, TextConfig};
use crate::error::ClipError;
use crate::layers::{Encoder, Linear, Loader, Norm, Wanted};
use candle_core::{Device, Result, Tensor};

pub(crate) struct TextTower {
    /// `[vocabulary, width]`.
    tokens: Tensor,
    /// `[context, width]`.
    positions: Tensor,
    encoder: Encoder,
    projection: Linear,
    pooling: Pooling,
}

/// Which token's vector represents the text.
enum Pooling {
    /// The one with the largest id. Old configurations name a wrong end-of-text token (2), and in their vocabularies,
    /// the true one has the largest id.
    Largest,
    /// The first end-of-text token.
    First(u32),
    /// The last one, even if it is padding.
    Last,
}

impl TextTower {
    pub(crate) fn load(
        loader: &Loader,
        config: &ModelConfig,
        text: &TextConfig,
    ) -> std::result::Result<TextTower, ClipError> {
        let (width, eps) = (text.encoder.hidden_size, text.encoder.layer_norm_eps);
        let clip = config.family == Family::Clip;
        let name = |name: &str| format!("text_model.{name}");
        let tokens = loader.get(&name("embeddings.token_embedding.weight"), &[text.vocab_size, width])?;
        let shape = [text.max_position_embeddings, width];
        let positions = loader.get(&name("embeddings.position_embedding.weight"), &shape)?;
        let projection = if clip {
            Linear::new(loader.get("text_projection.weight", &[config.projection_dim, width])?, None)
        } else {
            Linear::load(loader, &name("head"), width, text.projection_size)?
        };
        let after = Norm::load(loader, &name("final_layer_norm"), width, eps)?;
        Ok(TextTower {
            tokens,
            positions,
            encoder: Encoder::load(loader, &name("encoder"), &text.encoder, clip, after)?,
            projection,
            pooling: match (clip, text.eos_token_id) {
                (false, _) => Pooling::Last,
                (true, 2) => Pooling::Largest,
                (true, id) => Pooling::First(id),
            },
        })
    }

    /// Token ids `[batch, tokens]`, row by row, to vectors `[batch, dim]`, not normalized.
    pub(crate) fn forward(&self, ids: &[u32], tokens: usize, device: &Device) -> Result<Tensor> {
        let batch = ids.len() / tokens.max(1);
        let width = self.tokens.dim(1)?;
        let x = self.tokens.index_select(&Tensor::new(ids, device)?, 0)?.reshape((batch, tokens, width))?;
        let x = x.broadcast_add(&self.positions.narrow(0, 0, tokens)?)?;
        let x = self.encoder.forward(x, Wanted::All)?.reshape((batch * tokens, width))?;
        let chosen = ids.chunks_exact(tokens).enumerate();
        let chosen: Vec<u32> = chosen.map(|(row, ids)| (row * tokens + self.pooled(ids)) as u32).collect();
        let pooled = x.index_select(&Tensor::new(chosen, device)?, 0)?;
        self.projection.forward(&pooled)
    }

    fn pooled(&self, ids: &[u32]) -> usize {
        let first = |wanted: u32| ids.iter().position(|&id| id == wanted).unwrap_or(0);
        match self.pooling {
            Pooling::Largest => first(ids.iter().copied().max().unwrap_or(0)),
            Pooling::First(id) => first(id),
            Pooling::Last => ids.len() - 1,
        }
    }
}
