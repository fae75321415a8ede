"""What cleaning buys: the accuracy of a linear probe on a clean test split after simulated reviews of noisy training labels.

    python scripts/quality/cleaning.py --cifar CIFAR10_DIR --labels cifar10-train-labels.csv --work /tmp/cleaning

CIFAR10_DIR has `train` and `test` with a folder for each class, and the table has a column of noisy labels and `clean_label`. A
simulated reviewer decides truthfully about the first samples of an order: those of `chaffinch rank`, a random one, and, with cleanlab
installed, that of its self-confidence on out-of-sample probabilities of the same embeddings. `chaffinch probe` measures.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

CLASSES = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="target/release/chaffinch")
    parser.add_argument("--cifar", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", default="bundled-small")
    parser.add_argument(
        "--columns", nargs="+", default=["aggre_label", "random_label1"]
    )
    parser.add_argument("--first", type=int, default=40_000)
    parser.add_argument("--decisions", type=int, nargs="+", default=[500, 2_000])
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    with open(options.labels) as file:
        known = [
            row for row in csv.DictReader(file) if int(row["index"]) >= options.first
        ]
    for column in options.columns:
        table(options, column, known)


def table(options, column, known):
    """One table: how each order and number of decisions does."""
    given = {row["path"]: CLASSES[int(row[column])] for row in known}
    truth = {row["path"]: CLASSES[int(row["clean_label"])] for row in known}
    test = {
        str(path.relative_to(options.cifar)): path.parent.name
        for path in sorted((options.cifar / "test").rglob("*.jpg"))
    }
    manifest = options.work / f"{column}.csv"
    with open(manifest, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split"])
        writer.writerows((path, label, "train") for path, label in given.items())
        writer.writerows((path, label, "test") for path, label in test.items())
    session = options.work / f"{column}-session"
    call(
        options, "scan", manifest, "--root", options.cifar, "--session", session,
        "--model", options.model, "--quiet",
    )  # fmt: skip
    shuffled = sorted(given)
    random.Random(1).shuffle(shuffled)
    orders = {
        "Chaffinch": ours(options, session, "ensemble"),
        "its label-quality": ours(options, session, "label-quality"),
        "random": shuffled,
    }
    try:
        orders["cleanlab"] = cleanlab(options, session, given)
    except ImportError as error:
        print(f"without cleanlab: {error}", file=sys.stderr)
    wrong = sum(given[path] != truth[path] for path in given)
    print(
        f"\n{column}: {wrong} wrong labels of {len(given)}, {len(test)} test pictures\n"
    )
    print("| labels | decisions | wrong ones found | accuracy | 95 % | gain | 95 % |")
    print("|---|---|---|---|---|---|---|")
    rows = {row["labels"]: row for row in probe(options, session)["rows"]}
    for name in ["given", "selected", "absorbed", "accepted"]:
        line(name, "-", "-", rows[name])
    for name, order in orders.items():
        for count in options.decisions:
            decided = options.work / f"{column}-{name}-{count}"
            rows, found = review(options, session, decided, order[:count], given, truth)
            line(f"in the order of {name}", count, found, rows["decided"])
    # What all truthful decisions would buy.
    rows, found = review(
        options, session, options.work / f"{column}-all", sorted(given), given, truth
    )
    line("all decided", len(given), found, rows["decided"])


def ours(options, session, by):
    """The training pictures in one order of `chaffinch rank`."""
    ranked = call(
        options, "rank", session, "--all", "--top", "0", "--format", "csv",
        "--filter", "split:train", "--by", by,
    )  # fmt: skip
    return [row["path"] for row in csv.DictReader(ranked.splitlines())]


def review(options, session, folder, decided, given, truth):
    """The rows of `probe` after truthful decisions about some samples."""
    if folder.exists():
        call_plainly("rm", "-rf", folder)
    call_plainly("cp", "-r", session, folder)
    decisions = folder.with_suffix(".csv")
    with open(decisions, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_path", "user_action", "new_label"])
        for path in decided:
            wrong = given[path] != truth[path]
            writer.writerow(
                [path, "relabel" if wrong else "keep", truth[path] if wrong else ""]
            )
    call(options, "import", "csv", decisions, "--session", folder, "--quiet")
    found = sum(given[path] != truth[path] for path in decided)
    rows = {row["labels"]: row for row in probe(options, folder)["rows"]}
    call_plainly("rm", "-rf", folder)
    return rows, found


def probe(options, session):
    return json.loads(call(options, "probe", session, "--format", "json", "--quiet"))


def line(name, decisions, found, row):
    low, high = row["interval"]
    gain = row["gain"]
    gained = (
        f"{gain['gain']:+.4f} | {gain['interval'][0]:+.4f} to {gain['interval'][1]:+.4f}"
        if gain
        else "- | -"
    )
    print(
        f"| {name} | {decisions} | {found} | {row['accuracy']:.4f} | {low:.4f} to {high:.4f} | {gained} |",
        flush=True,
    )


def cleanlab(options, session, given):
    """Self-confidence, from out-of-sample probabilities of a logistic regression on the embeddings of the session."""
    sys.path.insert(0, str(Path(__file__).parent))
    import peers

    paths = sorted(given)
    order = peers.cleanlab(
        options.cifar, session, paths, [given[path] for path in paths]
    )
    return [paths[row] for row in order]


def call(options, *arguments):
    return call_plainly(options.program, *arguments)


def call_plainly(*words):
    done = subprocess.run(
        [str(word) for word in words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "CHAFFINCH_ENGINE": "inside"},
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main()
