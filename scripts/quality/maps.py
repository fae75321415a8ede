"""Trustworthiness of the maps of neighborhoods that a session keeps, beside those of scikit-learn and umap-learn of the same vectors.

Open a scanned session, show both maps (`m`, `gt` twice) until they are made, and quit. Then:

    pip install -r scripts/quality/requirements.txt
    python scripts/quality/maps.py SESSION [--peers]

Trustworthiness (Venna and Kaski, 2001) is scikit-learn's, of 15 neighbors: 1 if all neighbors on the map are neighbors in the vectors.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pyarrow.ipc
from safetensors.numpy import load_file
from sklearn.manifold import TSNE, trustworthiness


def vectors(session: Path) -> np.ndarray:
    """The unit vectors of a session's samples, in their order; all of them must have one."""
    known = {}
    for chunk in sorted(session.glob("embeddings/*/chunk-*.safetensors")):
        data = load_file(chunk)
        known |= {
            key.tobytes(): row
            for key, row in zip(data["hashes"], data["embeddings"], strict=True)
        }
    hashes = pyarrow.ipc.open_file(session / "samples.arrow").read_all()["hash"]
    rows = np.stack([known[content.as_py()] for content in hashes])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("session", type=Path)
    arguments.add_argument(
        "--peers",
        action="store_true",
        help="compute the maps of the other programs as well",
    )
    arguments.add_argument(
        "--most",
        type=int,
        default=10_000,
        help="samples that are compared: all pairs are in memory",
    )
    given = arguments.parse_args()
    rows = vectors(given.session)
    some = np.random.default_rng(0).permutation(len(rows))[: given.most]

    def tell(name: str, places: np.ndarray, seconds: float | None = None) -> None:
        score = trustworthiness(rows[some], places[some], n_neighbors=15)
        print(
            f"{name:<24} {score:.4f}"
            + ("" if seconds is None else f"  {seconds:.0f} s")
        )

    for name in ["tsne", "umap"]:
        path = given.session / "maps" / f"{name}.safetensors"
        places = load_file(path)["places"]
        assert len(places) == len(rows), (
            f"{path} has {len(places)} of {len(rows)} samples"
        )
        tell(f"kept {name}", places)
    if given.peers:
        import umap

        started = time.time()
        places = umap.UMAP(random_state=42, n_jobs=1).fit_transform(rows)
        tell("umap-learn", places, time.time() - started)
        started = time.time()
        places = TSNE(perplexity=20, init="pca", random_state=0).fit_transform(rows)
        tell("scikit-learn's t-SNE", places, time.time() - started)


if __name__ == "__main__":
    main()
