#!/usr/bin/env python3
"""How true published estimates of "this label is wrong with p %" are, from out-of-sample probabilities and given labels alone.

    python scripts/quality/claims.py DIR...

Each DIR has `pred_probs.npy` (N x K), `labels.npy`, and `true_labels.npy` or `is_error.npy`; only the last is looked at to judge. Prints
the expected calibration error in 10 bins over all samples and over those called more likely wrong than not, with the mean of what
was said of these and the share that is wrong. Needs numpy.
"""

import sys
from pathlib import Path

import numpy as np


def error(stated, true, bins=10):
    bin_of = np.minimum((stated * bins).astype(int), bins - 1)
    inside = [bin_of == number for number in range(bins)]
    return sum(
        m.sum() * abs(stated[m].mean() - true[m].mean()) for m in inside if m.any()
    ) / max(len(stated), 1)


def raised(probabilities, power):
    rows = probabilities**power
    return rows / rows.sum(1, keepdims=True)


def calibrated(probabilities, labels):
    """One temperature for all, the one under which the given labels are likeliest."""

    def loss(power):
        return -np.log(
            raised(probabilities, power)[np.arange(len(labels)), labels]
        ).mean()

    return raised(probabilities, min(np.linspace(0.2, 3, 57), key=loss))


def wrong(rows, labels, rates):
    """By Bayes' rule with rates[class, label], and what the model would say of classes without noise (forward correction)."""
    clean = np.clip(rows @ np.linalg.pinv(rates), 1e-6, None)
    clean /= clean.sum(1, keepdims=True)
    posterior = clean * rates[:, labels].T
    posterior /= np.maximum(posterior.sum(1, keepdims=True), 1e-12)
    return 1 - posterior[np.arange(len(labels)), labels]


def anchors(rows, labels):
    """G. Patrini et al., 2017: the rates are the rows at the 97th percentile of each class."""
    return np.array(
        [rows[np.argsort(column)[int(0.97 * len(labels))]] for column in rows.T]
    )


def confident(rows, labels):
    """C. Northcutt et al., 2021: the rates of the confident joint."""
    classes = range(rows.shape[1])
    limits = np.array(
        [rows[labels == c, c].mean() if (labels == c).any() else 1 for c in classes]
    )
    above = rows >= limits
    known = above.any(1)
    joint = np.zeros((len(limits), len(limits)))
    np.add.at(joint, (labels[known], np.where(above, rows, 0).argmax(1)[known]), 1)
    joint *= (np.bincount(labels, minlength=len(limits)) / np.maximum(joint.sum(1), 1))[
        :, None
    ]
    return (joint / np.maximum(joint.sum(0, keepdims=True), 1e-12)).T


def local_false_discovery(rows, labels):
    """B. Efron, 2004: log-odds of the label against a logistic null that fits the better half."""
    own = rows[np.arange(len(labels)), labels]
    odds = np.clip(np.log(own / (1 - own + 1e-12) + 1e-12), -12, 12)
    edges = np.quantile(odds, np.linspace(0, 1, 101))
    edges[0], edges[-1] = edges[0] - 1, edges[-1] + 1
    edges = np.unique(edges)
    found = np.histogram(odds, edges)[0]
    middle, better = np.median(odds), np.quantile(odds, 0.75)
    scale = max((better - middle) / np.log(3), 1e-3)
    usual = np.diff(1 / (1 + np.exp(-(edges - middle) / scale))) * len(labels)
    share = np.clip(1 - usual / np.maximum(found, 1), 0, 1)
    share = np.maximum.accumulate(share[::-1])[::-1]
    return share[np.clip(np.searchsorted(edges, odds) - 1, 0, len(found) - 1)]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for folder in map(Path, sys.argv[1:]):
        labels = np.load(folder / "labels.npy").astype(int)
        truth = folder / "true_labels.npy"
        is_error = (
            np.load(truth).astype(int) != labels
            if truth.exists()
            else np.load(folder / "is_error.npy").astype(bool)
        )
        rows = np.clip(np.load(folder / "pred_probs.npy").astype(float), 1e-9, 1)
        rows = calibrated(rows / rows.sum(1, keepdims=True), labels)
        print(f"{folder.name}: {len(labels):,} labels, {is_error.mean():.3f} wrong")
        estimates = {
            "one minus the label's": 1 - rows[np.arange(len(labels)), labels],
            "anchors, Bayes": wrong(rows, labels, anchors(rows, labels)),
            "confident joint, Bayes": wrong(rows, labels, confident(rows, labels)),
            "local false discovery": local_false_discovery(rows, labels),
        }
        for name, p in estimates.items():
            p = np.clip(np.nan_to_num(p), 0, 1)
            called = p > 0.5
            said, true = (
                (p[called].mean(), is_error[called].mean()) if called.any() else (0, 0)
            )
            print(
                f"  {name:24} all {error(p, is_error):.3f}  called wrong {called.sum():6,}: {error(p[called], is_error[called]):.3f}"
                f"  said {said:.3f}  true {true:.3f}"
            )


if __name__ == "__main__":
    main()
