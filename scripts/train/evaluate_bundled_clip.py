#!/usr/bin/env python3
"""Zero-shot top-1 accuracy of the bundled CLIP model, measured with transformers.

    python evaluate_bundled_clip.py --model ../../core/clip/models/small --images CIFAR10_DIR/test

The folder holds one sub-folder of images per class, named after the class.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from transformers import CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast


def features(x):
    """get_*_features gives a tensor or, in newer releases, an output object."""
    x = x if torch.is_tensor(x) else x.pooler_output
    return torch.nn.functional.normalize(x, dim=-1)


def main() -> None:
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--model", required=True)
    p.add_argument("--images", required=True, type=Path)
    p.add_argument("--template", default="a photo of a {}")
    p.add_argument("--batch", type=int, default=250)
    args = p.parse_args()

    model, info = CLIPModel.from_pretrained(args.model, output_loading_info=True)
    bad = {
        k: v
        for k, v in info.items()
        if k in ("missing_keys", "unexpected_keys", "mismatched_keys") and v
    }
    assert not bad, bad
    model.eval()
    processor = CLIPImageProcessor.from_pretrained(args.model)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=f"{args.model}/tokenizer.json",
        bos_token="<|startoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
    )
    text_config = model.config.text_config
    ids = tokenizer("a")["input_ids"]
    assert (
        ids[0] == text_config.bos_token_id
        and ids[-1] == text_config.eos_token_id == len(tokenizer) - 1
    )

    classes = sorted(d.name for d in args.images.iterdir() if d.is_dir())
    files = [
        (f, i)
        for i, c in enumerate(classes)
        for f in sorted((args.images / c).iterdir())
    ]
    tokens = tokenizer(
        [args.template.format(c) for c in classes], padding=True, return_tensors="pt"
    )
    hits, per_class = 0, [[0, 0] for _ in classes]
    with torch.no_grad():
        text = features(
            model.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
        )
        for at in range(0, len(files), args.batch):
            part = files[at : at + args.batch]
            pixels = processor(
                images=[Image.open(f).convert("RGB") for f, _ in part],
                return_tensors="pt",
            )["pixel_values"]
            image = features(model.get_image_features(pixel_values=pixels))
            for guess, (_, truth) in zip((image @ text.T).argmax(1).tolist(), part):
                hits += guess == truth
                per_class[truth][0] += guess == truth
                per_class[truth][1] += 1
    for c, (h, n) in zip(classes, per_class):
        print(f"{c:12} {h / n:.3f}")
    print(
        f"zero-shot top-1: {100 * hits / len(files):.2f}% of {len(files)} images ('{args.template}')"
    )


if __name__ == "__main__":
    main()
