"""The reference implementation of the model for photographs: PyTorch for the pictures, transformers for the texts."""

from __future__ import annotations

import json
from pathlib import Path

import lite0
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import CLIPTextConfig, CLIPTextModelWithProjection
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


class PhotoModel:
    """A checkpoint with half-precision weights, computed in single precision."""

    def __init__(self, folder: Path):
        config = json.loads((folder / "config.json").read_text())
        state = {
            k: w.float() for k, w in load_file(folder / "model.safetensors").items()
        }
        prefix = "vision_model."
        self.vision = lite0.Lite0(
            {
                k.removeprefix(prefix): w
                for k, w in state.items()
                if k.startswith(prefix)
            }
        )
        self.projection = state["visual_projection.weight"]
        self.scale = float(state["logit_scale"].exp())
        self.text = CLIPTextModelWithProjection(
            CLIPTextConfig(**config["text_config"])
        ).eval()
        texts = {k: w for k, w in state.items() if k.startswith("text_")}
        missing, unexpected = self.text.load_state_dict(texts, strict=False)
        missing = [k for k in missing if not k.endswith("position_ids")]
        if missing or unexpected:
            raise SystemExit(f"the text tower does not fit: {missing} {unexpected}")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.context = config["text_config"]["max_position_embeddings"]
        self.processor = CLIPImageProcessorPil.from_pretrained(folder)

    @torch.no_grad()
    def features(self, picture: Image.Image) -> torch.Tensor:
        """The pooled features of a picture, [1, 1280]."""
        pixels = self.processor(picture.convert("RGB"), return_tensors="pt")[
            "pixel_values"
        ]
        return self.vision(pixels.float())

    @torch.no_grad()
    def picture(self, picture: Image.Image) -> np.ndarray:
        return F.normalize(self.features(picture) @ self.projection.T, dim=1)[0].numpy()

    @torch.no_grad()
    def texts(self, texts: list[str]) -> np.ndarray:
        rows = []
        for text in texts:
            ids = self.tokenizer.encode(text).ids
            if len(ids) > self.context:
                ids = ids[: self.context - 1] + ids[-1:]
            ids = torch.tensor([ids])
            rows.append(F.normalize(self.text(input_ids=ids).text_embeds, dim=1)[0])
        return torch.stack(rows).numpy()
