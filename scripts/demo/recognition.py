#!/usr/bin/env python3
"""Says how often the bundled model names the right class of a picture of the demo set.

    python scripts/demo/recognition.py

Needs torch, transformers and Pillow. Zero-shot over the model's ten classes with three prompts each; foreign and broken
pictures are left out, swapped ones count under their true label.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import torch
from PIL import Image
from transformers import CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "core/clip/models/small"
CLASSES = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]
PROMPTS = ["a photo of {}", "a picture of {}", "an image of {}"]


def unit(output) -> torch.Tensor:
    """The vectors of either tower at unit length; newer versions wrap them."""
    vectors = output if isinstance(output, torch.Tensor) else output.pooler_output
    return torch.nn.functional.normalize(vectors, dim=-1)


@torch.no_grad()
def main() -> None:
    model = CLIPModel.from_pretrained(MODEL).eval()
    processor = CLIPImageProcessor.from_pretrained(MODEL)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(MODEL / "tokenizer.json"))
    classes = []
    for name in CLASSES:
        named = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        ids = [
            tokenizer(prompt.format(named), return_tensors="pt")["input_ids"]
            for prompt in PROMPTS
        ]
        vectors = torch.cat(
            [unit(model.get_text_features(input_ids=one)) for one in ids]
        )
        classes.append(torch.nn.functional.normalize(vectors.mean(0), dim=0))
    classes = torch.stack(classes)
    right, all_of = Counter(), Counter()
    with open(ROOT / "demo/truth.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"]]
    for row in rows:
        picture = Image.open(ROOT / "demo/images" / row["path"]).convert("RGB")
        vector = unit(
            model.get_image_features(**processor(images=[picture], return_tensors="pt"))
        )
        best = CLASSES[int((vector @ classes.T).argmax())]
        all_of[row["label"]] += 1
        right[row["label"]] += best == row["label"]
    for label, count in sorted(all_of.items()):
        print(f"{label:11} {right[label]:3} of {count}")
    print(
        f"{'all':11} {right.total():3} of {all_of.total()}  {right.total() / all_of.total():.1%}"
    )


if __name__ == "__main__":
    main()
