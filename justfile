# Short names for what CONTRIBUTING.md explains. Everything here is a plain command that works without `just`.

# Lists these
default:
    @just --list

# What fails soonest: format, unit tests, the rules of the house; under two minutes once built
fast:
    .ci/run toolchain format scripts
    cargo test --release --locked --workspace --lib
    cargo test --release --locked --workspace --test architecture --test circles --test ignored --test habits

# Everything a change must pass
all:
    .ci/run

# Tests on data beside the repository
data:
    .ci/run data

# Rewrites snapshots, screens of the documentation, the key card and the schemas; look at the difference
snapshots:
    INSTA_UPDATE=always CHAFFINCH_UPDATE=1 cargo test --release --locked --workspace --lib
    CHAFFINCH_UPDATE=1 cargo test --release --locked --workspace --test tutorial
    git diff --stat

# The API's documentation, without warnings
docs:
    .ci/run docs

# The figures of the terminal interface, measured in full
figures:
    cargo run --release --locked -p chaffinch-tests --bin figures
