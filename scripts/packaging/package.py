"""Makes what is handed out: a tarball, a Debian package and a wheel, with checksums, from a build of the program.

    scripts/package                        builds for this machine's glibc (scripts/build-dist) and packs
    scripts/package --glibc 2.28           builds with zig as the linker, for that glibc and newer
    scripts/package --from target/release  packs a build that is there

All formats have the same files, in the places of FILES below a prefix: the program finds its detectors in ../lib/chaffinch
wherever the prefix is, and its models and sample set are inside it. The same build gives the same bytes: times are that of the
commit, or of $SOURCE_DATE_EPOCH, owners are root, and files are in order.

A release has the licenses of everything that is linked (cargo about) and a bill of materials (cargo cyclonedx), and fails if
they are not installed; --draft leaves them out and says so in the name of each file.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from program import ROOT, Failed, run, subcommands

PACKAGING = Path(__file__).resolve().parent
SUMMARY = "Finds the bad samples of an image-classification dataset for review in the terminal"
DESCRIPTION = (
    "Detectors rank suspects (wrong labels, outliers, duplicates, leaks, bad pictures), and the keyboard decides about them, "
    "over SSH, on the machine where the images and the GPU are."
)
SHELLS = {
    "bash": "share/bash-completion/completions/chaffinch",
    "zsh": "share/zsh/site-functions/_chaffinch",
    "fish": "share/fish/vendor_completions.d/chaffinch.fish",
}
# Machine of ELF, and what Debian and Python call it.
MACHINES = {0x3E: ("x86_64", "amd64"), 0xB7: ("aarch64", "arm64")}


def version() -> str:
    """The version of the workspace."""
    found = re.search(
        r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE
    )
    if found is None:
        raise Failed("Cargo.toml has no version")
    return found[1]


def commit_time() -> int:
    """The time that all files get: $SOURCE_DATE_EPOCH, or that of the commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or run("git", "log", "-1", "--format=%ct"))


def machine(program: Path) -> tuple[str, str]:
    """What the program runs on, as Python and as Debian name it."""
    head = program.read_bytes()[:20]
    known = (
        MACHINES.get(int.from_bytes(head[18:20], "little"))
        if head[:4] == b"\x7fELF"
        else None
    )
    if known is None:
        raise Failed(f"{program} is not a program for x86-64 or AArch64 Linux")
    return known


def needed_glibc(binaries: list[Path]) -> tuple[int, int]:
    """The oldest glibc that has everything the binaries import."""
    versions = re.findall(
        r"GLIBC_(\d+)\.(\d+)",
        run("objdump", "-T", *binaries, env={**os.environ, "LC_ALL": "C"}),
    )
    if not versions:
        raise Failed("no binary names a version of glibc")
    return max((int(major), int(minor)) for major, minor in versions)


def build(glibc: str | None) -> Path:
    """Builds the program and its detectors; returns their folder."""
    if glibc is None:
        run("scripts/build-dist")
        return target() / "dist-build" / "dist"
    if shutil.which("cargo-zigbuild") is None:
        raise Failed(
            "--glibc needs zig as linker; run: pip install cargo-zigbuild ziglang"
        )
    triple = "x86_64-unknown-linux-gnu"
    folder = target() / "zig-build"
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder)}
    run(
        "cargo",
        "zigbuild",
        "--profile",
        "dist",
        "--locked",
        "--target",
        f"{triple}.{glibc}",
        env=environment,
    )
    return folder / triple / "dist"


def target() -> Path:
    """The folder of builds."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def manual_pages(program: Path) -> dict[str, bytes]:
    """The manual pages of the program and of its commands."""
    names = subcommands(run(program, "--help"))
    if not names:
        raise Failed("the program lists no commands")
    pages = {"share/man/man1/chaffinch.1.gz": run(program, "man")}
    pages |= {
        f"share/man/man1/chaffinch-{name}.1.gz": run(program, "man", name)
        for name in names
    }
    return {path: gzip.compress(text.encode(), mtime=0) for path, text in pages.items()}


def notices() -> dict[str, bytes]:
    """The licenses of everything that is linked, and the bill of materials."""
    # Takes minutes: it reads every file of every crate. Without the network, where others have judged some of them.
    options = [
        "--frozen",
        "--workspace",
        "--fail",
        "--config",
        PACKAGING / "about.toml",
    ]
    licenses = run("cargo", "about", "generate", *options, PACKAGING / "about.hbs")
    run(
        "cargo",
        "cyclonedx",
        "--format",
        "json",
        "--manifest-path",
        "tui/program/Cargo.toml",
        "--override-filename",
        "sbom",
    )
    bill = ROOT / "tui/program/sbom.json"
    contents = json.loads(bill.read_text())
    # Each crate of the workspace gets one.
    for other in ROOT.glob("*/*/sbom.json"):
        other.unlink()
    (ROOT / "tests/sbom.json").unlink(missing_ok=True)
    # A number that differs each time, and when it was made.
    contents.pop("serialNumber", None)
    contents.get("metadata", {}).pop("timestamp", None)
    return {
        "share/doc/chaffinch/THIRD-PARTY.txt": licenses.encode(),
        "share/doc/chaffinch/sbom.cdx.json": (
            json.dumps(contents, indent=1) + "\n"
        ).encode(),
    }


def tree(program: Path, libraries: list[Path], draft: bool) -> dict[str, bytes]:
    """All files by their places below the prefix."""
    files = {"bin/chaffinch": program.read_bytes()}
    files |= {
        f"lib/chaffinch/{library.name}": library.read_bytes() for library in libraries
    }
    files |= manual_pages(program)
    files |= {
        path: run(program, "completions", shell).encode()
        for shell, path in SHELLS.items()
    }
    for name in [
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ]:
        files[f"share/doc/chaffinch/{name}"] = (ROOT / name).read_bytes()
    for page in sorted((ROOT / "docs").glob("*.md")):
        files[f"share/doc/chaffinch/docs/{page.name}"] = page.read_bytes()
    for model in sorted((ROOT / "core/clip/models").glob("*/README.md")):
        files[f"share/doc/chaffinch/models/{model.parent.name}.md"] = model.read_bytes()
    # The SDKs of detectors, which need nothing else.
    for part in ["sdk", "configs"]:
        for path in tracked(part):
            files[f"share/chaffinch/{path}"] = (ROOT / path).read_bytes()
    return files if draft else files | notices()


def tracked(folder: str) -> list[str]:
    """Files of a folder that belong to the repository; all of them where there is none."""
    if (ROOT / ".git").exists():
        return run("git", "ls-files", "-z", folder).split("\0")[:-1]
    return sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    )


def mode(path: str) -> int:
    """Its permissions."""
    return 0o755 if path.startswith(("bin/", "lib/")) else 0o644


def tarball(files: dict[str, bytes], top: str, stamp: int) -> bytes:
    """A tar archive, every folder before what is in it, with everything below `top`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        known: set[str] = set()
        for path, contents in sorted(files.items()):
            whole = f"{top}/{path}"
            parents = whole.split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                folder = "/".join(parents[:depth])
                if folder not in known:
                    known.add(folder)
                    archive.addfile(entry(folder, 0o755, stamp, tarfile.DIRTYPE))
            about = entry(whole, mode(path), stamp, tarfile.REGTYPE)
            about.size = len(contents)
            archive.addfile(about, io.BytesIO(contents))
    return out.getvalue()


def entry(name: str, permissions: int, stamp: int, kind: bytes) -> tarfile.TarInfo:
    """An entry that belongs to root."""
    about = tarfile.TarInfo(name)
    about.mode, about.mtime, about.type = permissions, stamp, kind
    about.uname = about.gname = "root"
    return about


def debian(
    files: dict[str, bytes],
    glibc: tuple[int, int],
    architecture: str,
    stamp: int,
    level: int,
) -> bytes:
    """A Debian package: the control file and the files below /usr."""
    data = {f"usr/{path}": contents for path, contents in files.items()}
    doc = "usr/share/doc/chaffinch/"
    data[doc + "copyright"] = (PACKAGING / "copyright").read_bytes()
    data[doc + "changelog.gz"] = gzip.compress(data.pop(doc + "CHANGELOG.md"), mtime=0)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "root"
        for path, contents in data.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(contents)
            file.chmod(mode(path.removeprefix("usr/")))
        size = sum(len(contents) + 1023 >> 10 for contents in data.values())
        control = [
            "Package: chaffinch",
            f"Version: {version()}",
            f"Architecture: {architecture}",
            "Maintainer: The Chaffinch developers",
            f"Installed-Size: {size}",
            f"Depends: libc6 (>= {glibc[0]}.{glibc[1]}), libgcc-s1",
            "Section: science",
            "Priority: optional",
            f"Description: {SUMMARY[0].lower()}{SUMMARY[1:]}",
            f" {DESCRIPTION}",
        ]
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text("\n".join(control) + "\n")
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
        package = Path(place) / "package.deb"
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(stamp)}
        run(
            "dpkg-deb",
            "--root-owner-group",
            "-Zxz",
            f"-z{level}",
            "--build",
            root,
            package,
            env=environment,
        )
        return package.read_bytes()


def wheel(files: dict[str, bytes], named: str, tag: str, stamp: int) -> bytes:
    """A wheel with the program as a script and the rest below the environment's prefix, by the binary distribution format
    (https://packaging.python.org/en/latest/specifications/binary-distribution-format/)."""
    name = f"chaffinch-{named}"
    about = [
        "Metadata-Version: 2.4",
        "Name: chaffinch",
        f"Version: {named}",
        f"Summary: {SUMMARY}",
        "License-Expression: MIT OR Apache-2.0",
        "License-File: LICENSE-MIT",
        "License-File: LICENSE-APACHE",
        "Classifier: Environment :: Console",
        "Classifier: Operating System :: POSIX :: Linux",
        "Classifier: Topic :: Scientific/Engineering :: Image Recognition",
        "Requires-Python: >=3.8",
        "Description-Content-Type: text/plain",
        "",
        DESCRIPTION,
    ]
    info = f"{name}.dist-info/"
    inside = {
        info + "METADATA": ("\n".join(about) + "\n").encode(),
        info
        + "WHEEL": f"Wheel-Version: 1.0\nGenerator: chaffinch\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n".encode(),
    }
    for path, contents in files.items():
        if path.startswith("bin/"):
            inside[f"{name}.data/scripts/{path.removeprefix('bin/')}"] = contents
        else:
            inside[f"{name}.data/data/{path}"] = contents
    for license_file in ["LICENSE-MIT", "LICENSE-APACHE"]:
        inside[f"{info}licenses/{license_file}"] = (ROOT / license_file).read_bytes()

    def line(path: str, contents: bytes) -> str:
        digest = (
            base64.urlsafe_b64encode(hashlib.sha256(contents).digest())
            .rstrip(b"=")
            .decode()
        )
        return f"{path},sha256={digest},{len(contents)}\n"

    record = (
        "".join(line(path, contents) for path, contents in sorted(inside.items()))
        + f"{info}RECORD,,\n"
    )
    out = io.BytesIO()
    # Zip has no time before 1980.
    moment = time.gmtime(max(stamp, 315532800))[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, contents in [
            *sorted(inside.items()),
            (info + "RECORD", record.encode()),
        ]:
            place = zipfile.ZipInfo(path, moment)
            runs = ".data/scripts/" in path or ".data/data/lib/" in path
            place.external_attr = (0o100755 if runs else 0o100644) << 16
            place.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(place, contents)
    return out.getvalue()


def main() -> None:
    """Packs, and prints the size of each file."""
    parser = argparse.ArgumentParser(description="Make packages of Chaffinch.")
    parser.add_argument(
        "--from",
        dest="folder",
        type=Path,
        help="folder of a build, such as target/release",
    )
    parser.add_argument(
        "--glibc", help="build for this version of glibc and newer, such as 2.28"
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "target/packages", help="where packages go"
    )
    parser.add_argument(
        "--suffix", default="", help="what is added to the name, such as cuda13"
    )
    parser.add_argument(
        "--draft",
        action="store_true",
        help="leave out licenses and the bill of materials",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=["tar", "deb", "wheel"],
        help="only this format",
    )
    wanted = parser.parse_args()
    if wanted.folder and wanted.glibc:
        raise Failed("--glibc is for builds, and --from names one that is there")
    folder = (wanted.folder or build(wanted.glibc)).resolve()
    program = folder / "chaffinch"
    libraries = sorted(folder.glob("libchaffinch_*.so"))
    plugins = sorted(
        path.parent.name for path in (ROOT / "plugins").glob("*/Cargo.toml")
    )
    missing = {name.replace("-", "_") for name in plugins} - {
        library.stem[13:] for library in libraries
    }
    if not program.is_file() or missing:
        raise Failed(
            f"{folder} lacks {'chaffinch' if not program.is_file() else ', '.join(sorted(missing))}"
        )
    libraries = [
        library
        for library in libraries
        if library.stem[13:].replace("_", "-") in plugins
    ]
    python_name, debian_name = machine(program)
    glibc = needed_glibc([program, *libraries])
    stamp = commit_time()
    files = tree(program, libraries, wanted.draft)
    kind_of_build = [
        part for part in [wanted.suffix, "draft" if wanted.draft else ""] if part
    ]
    added = "".join(f"-{part}" for part in kind_of_build)
    # A local version, as Python calls it.
    named = "+".join([version(), *([".".join(kind_of_build)] if kind_of_build else [])])
    name = f"chaffinch-{version()}-{python_name}-linux-gnu{added}"
    tag = f"manylinux_{glibc[0]}_{glibc[1]}_{python_name}"
    kinds = {
        "tar": (
            f"{name}.tar.xz",
            lambda: lzma.compress(tarball(files, name, stamp), preset=level),
        ),
        "deb": (
            f"chaffinch_{version()}_{debian_name}{added}.deb",
            lambda: debian(files, glibc, debian_name, stamp, level),
        ),
        "wheel": (
            f"chaffinch-{named}-py3-none-{tag}.whl",
            lambda: wheel(files, named, tag, stamp),
        ),
    }
    wanted.out.mkdir(parents=True, exist_ok=True)
    # A draft is for trying.
    level = 1 if wanted.draft else 6
    for kind, (file, make) in kinds.items():
        if wanted.only and kind not in wanted.only:
            continue
        contents = make()
        (wanted.out / file).write_bytes(contents)
        print(f"{len(contents) / 1e6:7.1f} MB  {wanted.out / file}")
    # Also of packages that were made before.
    packages = sorted(
        path
        for ending in ["tar.xz", "deb", "whl"]
        for path in wanted.out.glob(f"chaffinch*.{ending}")
    )
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in packages
    ]
    (wanted.out / "SHA256SUMS").write_text("".join(sums))
    unpacked = sum(map(len, files.values()))
    print(
        f"{unpacked / 1e6:7.1f} MB  unpacked; runs with glibc {glibc[0]}.{glibc[1]} and newer"
    )


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
