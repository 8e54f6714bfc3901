#!/bin/sh
# Makes one of the project's environments from its hash-locked requirements, or does nothing when it is up to date.
#
#   scripts/bootstrap.sh runtime   .venv, what `make demo` needs
#   scripts/bootstrap.sh dev       .venv, the same and the checks (its lock is a superset of runtime's)
#   scripts/bootstrap.sh docs      .venv-docs, the documentation site
#   scripts/bootstrap.sh qlib      .venv-qlib, the real QLib, which reads our export back
#   scripts/bootstrap.sh nautilus-1.221, nautilus-1.231
#                                  .venv-nautilus-…, that NautilusTrader and pumpswap: the adapter's tests, the benchmarks' peer
#   scripts/bootstrap.sh ray       .venv-ray, Ray and pumpswap: sweeps on a cluster
#
# PYTHON chooses the interpreter. uv is used when it is there; PUMPSWAP_NO_UV=1 does without it.
set -eu
cd "$(dirname "$0")/.."

kind=${1:?usage: scripts/bootstrap.sh runtime|dev|docs|qlib|nautilus-1.221|nautilus-1.231|ray}
case $kind in
    runtime | dev) venv=.venv ;;
    docs) venv=.venv-docs ;;
    qlib) venv=.venv-qlib ;;
    nautilus-1.221 | nautilus-1.231 | ray) venv=.venv-$kind ;;
    *) echo "pumpswap: no environment named '$kind'; there are runtime, dev, docs, qlib, nautilus-1.221, nautilus-1.231 and ray" >&2; exit 2 ;;
esac

# What a lock is for: NautilusTrader 1.221 and Ray's are made for Python 3.11, NautilusTrader 1.231 needs a newer one.
case $kind in
    nautilus-1.221 | ray) wanted=3.11 needs="Python 3.11" ;;
    nautilus-1.231) wanted="3.12 3.13" needs="Python 3.12 or 3.13" ;;
    *) wanted= needs="Python 3.11 or newer" ;;
esac

say() { echo "pumpswap: $*" >&2; }
fail() { say "$*"; exit 1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none; }
fits() {
    if [ -z "$wanted" ]; then
        "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
    else
        case " $wanted " in *" $(version_of "$1") "*) ;; *) return 1 ;; esac
    fi
}

# The folder is part of the key: the scripts inside an environment hold its path, so a moved checkout needs a new one.
# The shape of the package is not: an editable install sees new modules by itself.
key_of() { { pwd; version_of "$venv/bin/python"; cat scripts/bootstrap.sh pyproject.toml "requirements/$1.txt"; } | cksum; }
is_current() { [ -f "$venv/.stamp-$1" ] && [ "$(cat "$venv/.stamp-$1")" = "$(key_of "$1")" ]; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is not $needs"
        echo "$PYTHON"
        return
    fi
    # Also where pyenv and uv keep those that are not on the path.
    for candidate in python3 python3.13 python3.12 python3.11 \
        "$HOME"/.pyenv/versions/*/bin/python "$HOME"/.local/share/uv/python/*/bin/python; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no $needs found; install one (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=..."
}

uses_uv() { [ -z "${PUMPSWAP_NO_UV:-}" ] && command -v uv >/dev/null 2>&1; }

is_usable() {
    fits "$venv/bin/python" || return 1
    [ "$(cat "$venv/.folder" 2>/dev/null)" = "$(pwd)" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ] || return 1
    uses_uv || "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

make_venv() {
    python=$(choose_python)
    if uses_uv; then needed=venv pip=--without-pip; else needed=ensurepip pip=; fi
    # Debian ships venv without ensurepip, in which case venv itself would fail half-way with a page of text.
    "$python" -c "import venv, $needed" 2>/dev/null ||
        fail "$python has no venv module; install it (Debian, Ubuntu: apt install python$(version_of "$python")-venv) and run make again"
    say "making $venv with Python $(version_of "$python")"
    rm -rf "$venv"
    "$python" -m venv $pip "$venv"
    pwd >"$venv/.folder"
}

install() {
    if uses_uv; then
        uv pip install --quiet --python "$venv/bin/python" --compile-bytecode --no-deps "$@"
    else
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input --no-deps "$@"
    fi
}

# A PYTHON of another version is a wish for another environment, so it is looked at even when the stamp fits.
if is_current "$kind" && { [ -z "${PYTHON:-}" ] || is_usable; }; then
    exit 0
fi

is_usable || make_venv
say "installing the locked packages of requirements/$kind.txt (a minute or two, once)"
install --require-hashes -r "requirements/$kind.txt"
if [ "$kind" != docs ] && [ "$kind" != qlib ]; then
    say "installing pumpswap itself, editable"
    install --no-build-isolation --editable .
fi
if [ "$kind" = dev ]; then
    key_of runtime >"$venv/.stamp-runtime"
fi
key_of "$kind" >"$venv/.stamp-$kind"
