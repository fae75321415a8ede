#!/usr/bin/env python3
"""Zero-shot and linear accuracy of the model for photographs on folders of classes.

    python evaluate_photo_model.py --model core/clip/models/photo --images DIR [--each 200] [--linear]

Zero-shot: the nearest text among "a photo of a CLASS". Linear: ridge regression on the 1280 features and on the 256 numbers
of the shared space, five folds. Both are means over classes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from photo_model import PhotoModel
from PIL import Image
from prompts import article

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


def mean_class_accuracy(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([(found[truth == c] == c).mean() for c in np.unique(truth)]))


def linear(x: np.ndarray, y: np.ndarray, folds: int = 5) -> float:
    x = np.hstack([x / np.linalg.norm(x, axis=1, keepdims=True), np.ones((len(x), 1))])
    targets = np.eye(y.max() + 1)[y]
    fold = np.random.default_rng(0).permutation(len(x)) % folds
    found = np.empty(len(x), int)
    for number in range(folds):
        inside = fold != number
        gram = x[inside].T @ x[inside]
        gram[np.diag_indices_from(gram)] += 0.01
        weights = np.linalg.solve(gram, x[inside].T @ targets[inside])
        found[~inside] = (x[~inside] @ weights).argmax(1)
    return mean_class_accuracy(found, y)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--each", type=int, help="at most so many pictures of a class")
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = PhotoModel(args.model)
    classes = sorted(f.name for f in args.images.iterdir() if f.is_dir())
    files, truth = [], []
    for number, name in enumerate(classes):
        inside = sorted(
            f for f in (args.images / name).rglob("*") if f.suffix.lower() in SUFFIXES
        )
        step = max(1, len(inside) // args.each) if args.each else 1
        inside = inside[::step][: args.each]
        files += inside
        truth += [number] * len(inside)
    truth = np.array(truth)
    features = np.concatenate([model.features(Image.open(f)).numpy() for f in files])
    pictures = features @ model.projection.numpy().T
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    texts = model.texts(
        [f"a photo of {article(c.lower().replace('_', ' '))}" for c in classes]
    )
    found = (pictures @ texts.T).argmax(1)
    print(f"{args.images}: {len(files)} pictures, {len(classes)} classes")
    print(f"zero-shot {mean_class_accuracy(found, truth):.3f}")
    if args.linear:
        print(
            f"linear: {linear(features, truth):.3f} on 1280 features, {linear(pictures, truth):.3f} on 256"
        )
    own = (pictures * texts[truth]).sum(1)
    other = pictures @ model.texts(["a photo of something"])[0]
    print(
        f"cosine: own label {np.median(own):.3f}, something {np.median(other):.3f} (medians)"
    )


if __name__ == "__main__":
    main()
