#!/bin/sh
# Remakes docs/images/report.png from a fresh demo. Needs Chromium; the picture in the README is this one.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/pumpswap demo --quiet --fast --data-dir "$work" >/dev/null
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --hide-scrollbars \
    --user-data-dir="$work/browser" --window-size=1280,1480 --virtual-time-budget=5000 \
    --screenshot="$PWD/docs/images/report.png" "file://$work/reports/demo-1.html" >/dev/null 2>&1
echo "docs/images/report.png"
