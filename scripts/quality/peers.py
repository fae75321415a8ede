"""The orders of other programs: row numbers, worst first; what they do not flag comes last, shuffled."""

import json
import logging
import os
import random
import subprocess
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def cleanlab(data, session, paths, labels):
    """Self-confidence, from out-of-sample probabilities of a logistic regression on the embeddings of the session."""
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    found = embeddings(data, session, paths)
    rows = [index for index, vector in enumerate(found) if vector is not None]
    _, given = np.unique([labels[index] for index in rows], return_inverse=True)
    model = LogisticRegression(max_iter=500)
    probabilities = cross_val_predict(
        model,
        np.array([found[index] for index in rows]),
        given,
        cv=5,
        method="predict_proba",
    )
    scores = np.full(len(paths), np.inf)
    scores[rows] = get_label_quality_scores(given, probabilities)
    return ordered(scores)


def selfclean(data, session, paths, labels):
    """Off-topic samples, near duplicates, label errors, and all of them by their best place, from the embeddings of the session."""
    from selfclean.cleaner.selfclean_cleaner import SelfCleanCleaner

    found = embeddings(data, session, paths)
    rows = np.array([index for index, vector in enumerate(found) if vector is not None])
    _, given = np.unique([labels[index] for index in rows], return_inverse=True)
    cleaner = SelfCleanCleaner(memmap=False, log_level="ERROR")
    with open(os.devnull, "w") as quiet, redirected(quiet):
        cleaner.fit(emb_space=np.array([found[index] for index in rows]), labels=given)
        issues = cleaner.predict()
    lists = []
    for kind in ["off_topic_samples", "near_duplicates", "label_errors"]:
        # Worst first; of pairs, each sample counts where it comes first.
        indices = np.asarray(issues[kind]["indices"]).reshape(-1)
        _, first = np.unique(indices, return_index=True)
        scores = np.full(len(paths), np.inf)
        order = indices[np.sort(first)]
        scores[rows[order]] = np.arange(len(order))
        lists.append(scores)
    return [ordered(scores) for scores in [*lists, np.min(lists, 0)]]


def fastdup(python, data, work, paths):
    """Outliers, near duplicates, and both by their better place. It is run by a Python of its own, as it needs other packages."""
    script = Path(__file__).with_name("fastdup_lists.py")
    # It finds the folder of its results only below the working directory.
    work.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [python, script, data.resolve()],
        cwd=work,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SENTRY_OPT_OUT": "1"},
    )
    if done.returncode != 0:
        raise RuntimeError(f"fastdup failed: {done.stderr}")
    at = {path: index for index, path in enumerate(paths)}
    lists = []
    for found in json.loads(done.stdout.splitlines()[-1]):
        scores = np.full(len(paths), np.inf)
        for rank, path in enumerate(path for path in found if path in at):
            scores[at[path]] = min(scores[at[path]], rank)
        lists.append(scores)
    return [ordered(scores) for scores in [*lists, np.min(lists, 0)]]


def embeddings(data, session, paths):
    """The vector of each path in a session, or None."""
    from blake3 import blake3
    from safetensors.numpy import load_file

    vectors = {}
    for chunk in sorted((session / "embeddings").rglob("chunk-*.safetensors")):
        tensors = load_file(chunk)
        for content, vector, usable in zip(
            tensors["hashes"], tensors["embeddings"], tensors["usable"]
        ):
            if usable:
                vectors[content.tobytes()] = vector
    return [vectors.get(blake3((data / path).read_bytes()).digest()) for path in paths]


def cleanvision(data, paths):
    """The lowest score among the issues that a picture is flagged for."""
    from cleanvision import Imagelab

    lab = Imagelab(filepaths=[str(data / path) for path in paths])
    with open(os.devnull, "w") as quiet, redirected(quiet):
        lab.find_issues(n_jobs=1, verbose=False)
    issues = lab.issues.loc[[str(data / path) for path in paths]]
    scores = np.full(len(paths), np.inf)
    for column in (name for name in issues if name.startswith("is_")):
        score = issues.get(column.removeprefix("is_").removesuffix("_issue") + "_score")
        own = score.to_numpy() if score is not None else np.zeros(len(paths))
        scores = np.where(issues[column], np.minimum(scores, own), scores)
    return ordered(scores)


def imagededup(data, paths):
    """The distance of perceptual hashes to the nearest other picture, up to its default of 10 bits."""
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    hashes = {path: hasher.encode_image(str(data / path)) for path in paths}
    usable = {path: value for path, value in hashes.items() if value}
    with open(os.devnull, "w") as quiet, redirected(quiet):
        found = hasher.find_duplicates(
            encoding_map=usable, scores=True, num_dist_workers=0
        )
    nearest = [
        min((distance for _, distance in found.get(path, [])), default=np.inf)
        for path in paths
    ]
    return ordered(np.array(nearest))


def ordered(scores):
    rows = list(range(len(scores)))
    random.Random(0).shuffle(rows)
    return sorted(rows, key=lambda row: scores[row])


def redirected(stream):
    from contextlib import ExitStack, redirect_stderr, redirect_stdout

    stack = ExitStack()
    stack.enter_context(redirect_stdout(stream))
    stack.enter_context(redirect_stderr(stream))
    return stack
