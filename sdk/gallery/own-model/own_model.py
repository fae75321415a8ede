"""Class probabilities from a model of one's own: model.pt (TorchScript) if it is there, otherwise weights.npz.

Either takes pictures of side x side pixels as numbers from 0 to 1 and returns one logit for each class of the dataset, in
their order. weights.npz has `weight`, one row for each class over height x width x 3 numbers, and `bias`.
"""

import os

import numpy as np
from chaffinch_detector import Failure, run

#: Pictures that are judged at once.
BATCH = 256


def load():
    """A function from pictures (count x side x side x 3) to logits (count x classes)."""
    if os.path.exists("model.pt"):
        import torch

        model = torch.jit.load("model.pt", map_location="cpu").eval()

        def logits(pictures):
            with torch.inference_mode():
                return model(torch.from_numpy(pictures).permute(0, 3, 1, 2)).numpy()

        return logits
    if not os.path.exists("weights.npz"):
        raise Failure("there is neither model.pt nor weights.npz beside own_model.py; save your model there")
    weights = np.load("weights.npz")
    return lambda pictures: pictures.reshape(len(pictures), -1) @ weights["weight"].T + weights["bias"]


def judge(data, logits, batch):
    pictures = np.stack([rgb for _, rgb in batch])
    raw = logits(pictures)
    if raw.shape[1] != len(data.classes):
        raise Failure(f"the model has {raw.shape[1]} classes, but the dataset has {len(data.classes)}")
    power = np.exp(raw - raw.max(1, keepdims=True))
    for (sample, _), row in zip(batch, power / power.sum(1, keepdims=True)):
        label, best = int(data.labels[sample]), int(row.argmax())
        if label >= len(data.classes):
            continue
        if best == label:
            data.issue(sample, row[label])
        else:
            reason = f"your model says {data.classes[best]}"
            data.issue(sample, row[label], reason, suggested=best)


def scaled(rgb, side):
    """Nearest pixels, so that every picture is square."""
    rows = (np.arange(side) + 0.5) * rgb.shape[0] / side
    cols = (np.arange(side) + 0.5) * rgb.shape[1] / side
    return rgb[rows.astype(int)][:, cols.astype(int)].astype(np.float32) / 255


def detect(data):
    logits, side, batch = load(), data.parameters["side"], []
    for picture in data.pictures(side):
        batch.append((picture.sample, scaled(picture.rgb, side)))
        if len(batch) == BATCH:
            judge(data, logits, batch)
            data.progress(picture.sample, data.count)
            batch = []
    if batch:
        judge(data, logits, batch)


run(detect)
