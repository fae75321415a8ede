# Shortcuts for commands in CONTRIBUTING.md. Everything here is a plain command that works without `just`.

# List the recipes
default:
    @just --list

# Fast checks: format, unit tests, project rules; under two minutes once built
fast:
    .ci/run toolchain format scripts
    cargo test --release --locked --workspace --lib
    cargo test --release --locked --workspace --test architecture --test circles --test ignored --test habits

# Run everything a change must pass
all:
    .ci/run

# Run the tests on data outside the repository
data:
    .ci/run data

# Update snapshots, screens in the documentation, the key card and the schemas; review the diff
snapshots:
    INSTA_UPDATE=always CHAFFINCH_UPDATE=1 cargo test --release --locked --workspace --lib
    CHAFFINCH_UPDATE=1 cargo test --release --locked --workspace --test tutorial
    git diff --stat

# Build the API documentation without warnings
docs:
    .ci/run docs

# Measure the figures of the terminal interface in full
figures:
    cargo run --release --locked -p chaffinch-tests --bin figures
