"""How well a class is found by its name: the first samples of a search, beside zero-shot classification.

    python scripts/quality/search.py --session SESSION [--top 50] [--template "a photo of a {}"]

The given labels are taken for the truth. `first` is the share of the class among the first samples of
`chaffinch search SESSION TEXT`, `zero-shot` its share among all samples that `chaffinch classify SESSION` calls by its name.
"""

import argparse
import csv
import subprocess


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="target/release/chaffinch")
    parser.add_argument(
        "--session", required=True, help="a session, scanned with a model"
    )
    parser.add_argument("--top", type=int, default=50)
    parser.add_argument("--template", default="a photo of a {}")
    options = parser.parse_args()
    rows = table(options, "classify", options.session, "--names", "1", "--top", "0")
    given = {row["fname"]: row["original_lazy_label"] for row in rows}
    sums = [0.0, 0.0]
    classes = sorted(set(given.values()))
    print("| class | first | zero-shot |\n|---|---|---|")
    for name in classes:
        text = options.template.format(name)
        found = table(
            options, "search", options.session, text, "--top", str(options.top)
        )
        first = share([row["path"] for row in found], given, name)
        called = [row["fname"] for row in rows if row["label_1"] == name]
        figures = [first, share(called, given, name)]
        sums = [total + figure for total, figure in zip(sums, figures)]
        print(f"| {name} | {figures[0]:.3f} | {figures[1]:.3f} |")
    means = [total / len(classes) for total in sums]
    print(f"| mean | {means[0]:.3f} | {means[1]:.3f} |")


def share(paths, given, name):
    return sum(given[path] == name for path in paths) / max(1, len(paths))


def table(options, *words):
    done = subprocess.run(
        [options.program, *words, "--format", "csv"],
        check=True,
        capture_output=True,
        text=True,
    )
    return list(csv.DictReader(done.stdout.splitlines()))


if __name__ == "__main__":
    main()
