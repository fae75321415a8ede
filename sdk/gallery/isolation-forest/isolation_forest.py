"""Isolation Forest on the embeddings: scikit-learn's where it is installed, otherwise the few lines below."""

import numpy as np
from chaffinch_detector import run

#: Samples that each tree is grown on, as in the paper.
SAMPLES = 256


def path_length(count):
    """The mean depth at which a search in a random tree of so many samples fails."""
    count = np.maximum(np.asarray(count, float), 1.0)
    tall = 2.0 * (np.log(np.maximum(count - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (count - 1.0) / count
    return np.where(count > 2, tall, np.where(count == 2, 1.0, 0.0))


def depths(rows, grown, members, random, depth, limit, out):
    """Adds to `out` how deep each of `members` (of `rows`) falls in a tree that is grown on the samples `grown`."""
    spread = grown.max(0) - grown.min(0) if len(grown) > 1 else np.zeros(rows.shape[1])
    columns = np.flatnonzero(spread > 0)
    if depth >= limit or not len(columns) or not len(members):
        out[members] += depth + path_length(len(grown))
        return
    column = columns[random.integers(len(columns))]
    cut = random.uniform(grown[:, column].min(), grown[:, column].max())
    left = rows[members, column] < cut
    for side, part in ((left, grown[:, column] < cut), (~left, grown[:, column] >= cut)):
        depths(rows, grown[part], members[side], random, depth + 1, limit, out)


def own_forest(data, rows, trees):
    random = np.random.default_rng(0)
    # The order of the rows must not matter, so that renaming a file changes nothing.
    order = np.lexsort(rows.T[::-1])
    size = min(SAMPLES, len(rows))
    total, everything = np.zeros(len(rows)), np.arange(len(rows))
    for tree in range(trees):
        data.progress(tree, trees)
        grown = rows[order[random.choice(len(rows), size, replace=False)]]
        depths(rows, grown, everything, random, 0, int(np.ceil(np.log2(max(size, 2)))), total)
    return 1.0 - 2.0 ** (-total / trees / max(float(path_length(size)), 1e-9))


def detect(data):
    scores = np.full(data.count, np.nan)
    good = np.flatnonzero(data.decodable == 1)
    if len(good) < 3:
        return scores
    rows, trees = data.embeddings[good], data.parameters["trees"]
    try:
        from sklearn.ensemble import IsolationForest
    except ImportError:
        scores[good] = own_forest(data, rows, trees)
    else:
        # It reports the negative of the paper's score.
        scores[good] = 1.0 + IsolationForest(n_estimators=trees, random_state=0).fit(rows).score_samples(rows)
    return scores.clip(0, 1)


run(detect)
