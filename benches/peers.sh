#!/usr/bin/env bash
# Whole processes against GPSBabel, the reference converter, and published tools in Rust and Python, in turn. Prints tables of
# ratios; README.md says what they mean. What is missing is installed, but for GPSBabel below target; what cannot be is left out.
#   benches/peers.sh [ROUNDS]     PACEPORT_PROGRAM=… measures that program instead of target/release/paceport
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
program=${PACEPORT_PROGRAM:-target/release/paceport}
[ -x "$program" ] || cargo build --release --locked
command -v gpsbabel >/dev/null 2>&1 || (apt-get update -q && apt-get install -qy gpsbabel) >/dev/null 2>&1 ||
    { echo "gpsbabel is not here and cannot be installed"; exit 0; }
in=target/bench-inputs
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "$in"
for kind in fit gpx tcx; do
    [ -s "$in/100k.$kind" ] || python3 benches/inputs.py ride "$kind" 100000 "$in/100k.$kind"
done
# Real files when they are there: those of the corpus with which GPSBabel does not fail, else 200 synthetic ones.
many=$in/files
what="200 synthetic files"
if [ ! -d "$many" ]; then
    mkdir -p "$many.new"
    python3 benches/inputs.py files 200 "$many.new"
    mv "$many.new" "$many"
fi
if [ -d ../shared/corpus/fit ]; then
    many=$(cd ../shared/corpus/fit && pwd)
    what="$(find "$many" -name '*.fit' | wc -l) real files"
fi

pair() { python3 benches/measure.py pair "$@"; }
ours() { echo "'$program' convert -q -j $1 '$2' --to $3 --out '$out/ours.$4' --force"; }
babel() { echo "gpsbabel -t -i $1 -f '$2' -o $3 -F '$out/babel.$4' || true"; }
# Every file of the folder $1, so many at a time as $2 says.
babel_all() {
    echo "cd '$1' && ls | grep -i 'fit$' | xargs -P$2 -I{} gpsbabel -t -i garmin_fit -f {} -o gpx,garminextensions=1 -F '$out/{}.gpx' || true"
}

echo "| whole process, paceport / GPSBabel | bar | ratio | met | medians |"
echo "|---|---|---|---|---|"
pair "100,000 records FIT → GPX" 0.35 cpu "$rounds" \
    "$(ours 1 "$in/100k.fit" gpx gpx)" "$(babel garmin_fit "$in/100k.fit" gpx,garminextensions=1 gpx)"
pair "100,000 points GPX → TCX" 0.45 cpu "$rounds" "$(ours 1 "$in/100k.gpx" tcx tcx)" "$(babel gpx "$in/100k.gpx" gtrnctr,course=0 tcx)"
pair "100,000 points TCX → GPX" 0.35 cpu "$rounds" \
    "$(ours 1 "$in/100k.tcx" gpx gpx)" "$(babel gtrnctr "$in/100k.tcx" gpx,garminextensions=1 gpx)"
pair "$what FIT → GPX, -j 2, GPSBabel in a loop" 0.15 wall "$rounds" "$(ours 2 "$many" gpx folder)" "$(babel_all "$many" 1)"
pair "$what FIT → GPX, -j 2, GPSBabel by xargs -P2" 0.3 wall "$rounds" "$(ours 2 "$many" gpx folder)" "$(babel_all "$many" 2)"

# They keep less: those in Rust no sensors at all, fit2gpx in Python only heart rate and cadence of them.
tools=$(realpath -m target/bench-tools)
mkdir -p "$tools"
[ -x "$tools/bin/fit2gpx" ] || cargo install -q fit2gpx --version 0.6.2 --locked --root "$tools" >/dev/null 2>&1 || true
# fit2gpx asks for a pandas that needs an older numpy, and does not ask for lxml.
[ -x "$tools/python/bin/gpxinfo" ] || { python3 -m venv "$tools/python" &&
    "$tools/python/bin/pip" install -q fit2gpx==1.0.0 fit2gpx-lightning==0.1.2 lxml 'numpy<2' gpxpy; } >/dev/null 2>&1 || true
published() { # NAME PROGRAM FIGURE OURS THEIRS
    if [ -x "$2" ]; then pair "$1" - "$3" "$rounds" "$4" "$5"; else echo "| $1 | | not installed | | |"; fi
}
cp "$in/100k.fit" "$out/one.fit"
one() { ours 1 "$in/100k.fit" gpx gpx; }
echo
echo "| whole process, paceport / published tool | bar | ratio | met | medians |"
echo "|---|---|---|---|---|"
published "100,000 records FIT → GPX, fit2gpx 0.6.2 (Rust)" "$tools/bin/fit2gpx" cpu "$(one)" "'$tools/bin/fit2gpx' -o '$out/one.fit'"
python=$tools/python/bin
published "the same, fit2gpx-lightning 0.1.2 (Rust in Python)" "$python/gpxinfo" cpu "$(one)" \
    "'$python/python3' -c 'import sys, fit2gpx_lightning as f; f.fit_to_gpx(*sys.argv[1:])' '$in/100k.fit' '$out/two.gpx'"
published "the same, fit2gpx 1.0.0 (Python)" "$python/fit2gpx" cpu "$(one)" "'$python/fit2gpx' '$in/100k.fit' '$out/three.gpx'"
published "100,000 points GPX read, gpxinfo of gpxpy (Python)" "$python/gpxinfo" cpu \
    "'$program' inspect -q -j 1 '$in/100k.gpx'" "'$python/gpxinfo' '$in/100k.gpx'"
