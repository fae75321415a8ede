#!/usr/bin/env python3
"""Writes what the reference implementation makes of some pictures and texts with the model for photographs.

python scripts/train/make_photo_fixture.py        writes core/clip/tests/fixtures/photo/expected.json
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from photo_model import PhotoModel
from PIL import Image

ROOT = Path(__file__).resolve().parents[2] / "core/clip"
TEXTS = [
    "a photo of a cat",
    "a photo of a dog",
    "a photo of something",
    "an airplane",
    "Labrador  retrievers!",
    "naïve café",
    "",
    "a photo of " + "a very " * 40 + "long word",
]


def main():
    torch.set_num_threads(1)
    model = PhotoModel(ROOT / "models/photo")
    pictures = sorted((ROOT / "tests/fixtures/preprocess").glob("*.png"))
    vectors = {
        p.stem: [round(float(x), 7) for x in model.picture(Image.open(p))]
        for p in pictures
    }
    rows = [[round(float(x), 7) for x in row] for row in model.texts(TEXTS)]
    texts = [{"text": t, "vector": row} for t, row in zip(TEXTS, rows, strict=True)]
    out = ROOT / "tests/fixtures/photo/expected.json"
    out.parent.mkdir(exist_ok=True)
    expected = {"images": vectors, "texts": texts, "logit_scale": model.scale}
    out.write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
