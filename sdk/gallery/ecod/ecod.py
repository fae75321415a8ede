"""ECOD: outliers by empirical cumulative distributions, on the embeddings. Needs NumPy only."""

import numpy as np
from chaffinch_detector import run


def tail(column):
    """For each value the share of values that are not larger."""
    return np.searchsorted(np.sort(column), column, side="right") / len(column)


def detect(data):
    scores = np.full(data.count, np.nan)
    good = np.flatnonzero(data.decodable == 1)
    if len(good) < 3:
        return scores
    rows = data.embeddings[good].astype(float)
    left = right = skewed = np.zeros(len(good))
    for dimension, column in enumerate(rows.T):
        data.progress(dimension, rows.shape[1])
        low, high = -np.log(tail(column)), -np.log(tail(-column))
        centered = column - column.mean()
        left, right = left + low, right + high
        skewed = skewed + (low if (centered**3).sum() < 0 else high)
    sums = np.maximum(np.maximum(left, right), skewed)
    # What stays the same, up to rounding, is the same.
    sums = sums.round(9)
    scores[good] = 1.0 - np.searchsorted(np.sort(sums), sums, side="left") / len(sums)
    return scores


run(detect)
