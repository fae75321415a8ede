"""How well the filters of `chaffinch label-quality --multi-label` find wrong labels among several, on simulated datasets.

    python -m pip install numpy scikit-learn
    python scripts/quality/multi_label.py target/release/chaffinch

Each sample has any of some classes, with vectors that are the sum of its classes' directions and noise. Labels are left out and
added at random, and logistic regressions of one class each, in five folds, give the probabilities. Prints the F1 of
each filter, by samples; `docs/benchmarks.md` has the table.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

SAMPLES = 3000
# Classes, width of the vectors, length of the directions, share of labels left out, share of labels added.
DATASETS = [
    (8, 16, 1.5, 0.1, 0.02),
    (8, 16, 0.8, 0.1, 0.02),
    (20, 32, 1.5, 0.2, 0.005),
    (20, 32, 0.7, 0.2, 0.005),
    (20, 32, 1.0, 0.05, 0.05),
    (5, 16, 1.2, 0.3, 0.1),
    (20, 32, 1.5, 0.02, 0.002),
]


def simulated(
    rng: np.random.Generator, classes: int, width: int, length: float, out: float, added: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Given labels, true labels, probabilities."""
    truth = rng.random((SAMPLES, classes)) < rng.uniform(0.03, 0.35, classes)
    directions = rng.normal(size=(classes, width)) * length
    vectors = truth @ directions + rng.normal(size=(SAMPLES, width))
    wrong = rng.random(truth.shape) < np.where(truth, out, added)
    given = truth ^ wrong
    columns = [
        cross_val_predict(
            LogisticRegression(max_iter=300), vectors, given[:, one], cv=5, method="predict_proba"
        )[:, 1]
        for one in range(classes)
    ]
    return given, truth, np.column_stack(columns)


def main(program: str) -> None:
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for shape in DATASETS:
            given, truth, p = simulated(rng, *shape)
            np.save(place / "p.npy", p)
            np.save(place / "labels.npy", given)
            np.save(place / "truth.npy", truth)
            output = subprocess.run(
                [
                    program,
                    "label-quality",
                    "--multi-label",
                    *("--pred-probs", place / "p.npy"),
                    *("--labels", place / "labels.npy"),
                    *("--truth", place / "truth.npy"),
                ],
                check=True,
                capture_output=True,
            )
            report = json.loads(output.stdout)
            print(f"{shape}: {report['n_errors']} of {report['n']} wrong, AUROC {report['auroc']:.3f}")
            for name, figures in report["filters"].items():
                found.setdefault(name, []).append(figures["f1"])
    for name, f1 in sorted(found.items(), key=lambda one: -np.mean(one[1])):
        print(f"{name:22}", *(f"{one:.3f}" for one in f1), f"mean {np.mean(f1):.3f}")


if __name__ == "__main__":
    main(sys.argv[1])
