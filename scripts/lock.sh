#!/bin/sh
# Remakes requirements/*.txt from pyproject.toml and requirements/*.in. UPGRADE=1 takes the newest of everything.
set -eu
cd "$(dirname "$0")/.."

command -v uv >/dev/null 2>&1 || {
    echo "pumpswap: make lock needs uv, which is not on this machine (pip install uv); nothing else does" >&2
    exit 1
}

python=3.11
platforms=--universal

compile() { # name of the lock, then its sources
    name=$1
    shift
    # Not indexed and not annotated: a lock file names packages and hashes, no host and no folder.
    uv pip compile "$@" --quiet $platforms --python-version "$python" --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links ${UPGRADE:+--upgrade} --output-file "requirements/$name.txt" >/dev/null
    echo "pumpswap: requirements/$name.txt, $(grep -c '==' "requirements/$name.txt") packages" >&2
}

compile runtime pyproject.toml requirements/runtime.in
compile dev pyproject.toml requirements/runtime.in requirements/dev.in --constraint requirements/runtime.txt
compile docs requirements/docs.in
compile qlib requirements/qlib.in

# Each of these is for one Python: what a release of NautilusTrader or Ray pins would tear a universal lock apart.
platforms=
compile ray pyproject.toml --extra ray requirements/ray.in
compile nautilus-1.221 pyproject.toml --extra nautilus requirements/nautilus-1.221.in
python=3.12
compile nautilus-1.231 pyproject.toml --extra nautilus requirements/nautilus-1.231.in
