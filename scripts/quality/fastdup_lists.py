"""The outliers and the near duplicates that fastdup finds in a folder, worst first, as two lists of paths in JSON.

    cd WORK && venv/bin/python scripts/quality/fastdup_lists.py FOLDER

Needs fastdup 2.54 and the numpy 1 that it asks for, hence an environment of its own.
"""

import json
import sys
from pathlib import Path

import fastdup


def main():
    folder = Path(sys.argv[1])
    work = fastdup.create(work_dir="fastdup", input_dir=str(folder))
    work.run(overwrite=True, print_summary=False, verbose=False)
    outliers = work.outliers().sort_values("distance", kind="stable")
    pairs = work.similarity().sort_values("distance", ascending=False, kind="stable")

    def relative(name):
        return str((Path.cwd() / name).resolve().relative_to(folder.resolve()))

    copies = []
    if len(pairs) > 0:
        for row in pairs.itertuples():
            copies += [relative(row.filename_from), relative(row.filename_to)]
    print()
    print(
        json.dumps([[relative(name) for name in outliers["filename_outlier"]], copies])
    )


if __name__ == "__main__":
    main()
