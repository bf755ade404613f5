#!/usr/bin/env bash
# Growth, memory and start-up of whole processes. Prints a table; README.md says what it means.
#   benches/scale.sh [ROUNDS]     PACEPORT_PROGRAM=… measures that program instead of target/release/paceport
#   FILES=3000 TINY=100000 JSON_MB=4096 make it smaller
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3}
program=$(realpath -m "${PACEPORT_PROGRAM:-target/release/paceport}")
files=${FILES:-3000} tiny=${TINY:-100000} json_mb=${JSON_MB:-4096}
[ -x "$program" ] || cargo build --release --locked
in=target/bench-inputs
out=$(mktemp -d -p target)
trap 'rm -rf "$out"' EXIT
mkdir -p "$in"
make() { # make FILE ARGUMENTS…
    [ -s "$in/$1" ] || { python3 benches/inputs.py "${@:2}" "$in/$1.new" && mv "$in/$1.new" "$in/$1"; }
}
make "archive-$files.zip" archive "$files"
make small.fit ride fit 400
archive=$in/archive-$files.zip
pair() { python3 benches/measure.py pair "$@"; }
alone() { python3 benches/measure.py alone "$@"; }
read_all() { echo "'$program' inspect -q --json -j $1 '$2'"; }
# Removing the history of the round before is not what is measured: it is moved aside. Nothing is removed before the end, as
# ext4 without a journal passes over the places of removed files, one by one, for minutes.
import_new() { echo "mkdir -p '$out/gone' && { mv '$out/$3' '$out/gone/$$'.\$\$ 2>/dev/null || true; } && '$program' import -q -j $1 '$2' --into '$out/$3'"; }

echo "| whole process | bar | measured | met | medians |"
echo "|---|---|---|---|---|"
pair "import of $files files into a new history / reading them, -j 1" 1.6 wall "$rounds" \
    "$(import_new 1 "$archive" one)" "$(read_all 1 "$archive")"
pair "the same, -j 2" 1.6 wall "$rounds" "$(import_new 2 "$archive" two)" "$(read_all 2 "$archive")"
pair "the same, processor time, -j 2" - cpu "$rounds" "$(import_new 2 "$archive" two)" "$(read_all 2 "$archive")"
pair "import of them, -j 2 / -j 1" 0.556 wall "$rounds" "$(import_new 2 "$archive" two)" "$(import_new 1 "$archive" one)"
pair "reading of them, -j 2 / -j 1" 0.556 wall "$rounds" "$(read_all 2 "$archive")" "$(read_all 1 "$archive")"
pair "import of them again / into a new history, -j 2" 0.35 wall "$rounds" \
    "'$program' import -q -j 2 '$archive' --into '$out/one'" "$(import_new 2 "$archive" two)"
alone "peak memory of the import, -j 2" 69 peak 1 "$(import_new 2 "$archive" two)"
alone "peak memory of converting them, workouts merged, -j 2" 69 peak 1 \
    "'$program' convert -q --merge --force -j 2 '$archive' --to gpx --out '$out/merged'"

for count in 1000 10000 100000; do
    [ "$count" -le "$tiny" ] && make "tiny-$count.zip" tiny "$count"
done
for count in 10000 100000; do
    [ "$count" -le "$tiny" ] || continue
    python3 benches/measure.py each "one of $count tiny activities / one of $((count / 10))" 1.2 cpu 1 \
        "$count" "$(import_new 2 "$in/tiny-$count.zip" "tiny-$count")" \
        "$((count / 10))" "$(import_new 2 "$in/tiny-$((count / 10)).zip" "tiny-$((count / 10))")"
    alone "peak memory, import of $count tiny activities" 64 peak 1 \
        "$(import_new 2 "$in/tiny-$count.zip" "tiny-$count")"
    alone "peak memory, import of them again" 64 peak 1 \
        "'$program' import -q -j 2 '$in/tiny-$count.zip' --into '$out/tiny-$count'"
    alone "peak memory, reading them" 64 peak 1 "$(read_all 2 "$in/tiny-$count.zip")"
    alone "peak memory, all originals of their history read again" - peak 1 \
        "'$program' refresh -q -j 2 --all '$out/tiny-$count'"
    alone "peak memory, export of their history" - peak 1 \
        "'$program' export -q --force -j 2 '$out/tiny-$count' --to gpx --out '$out/exported-$count'"
done

if [ "$json_mb" -gt 0 ]; then
    make "huawei-$json_mb.json" json "$json_mb"
    alone "peak memory, JSON of $json_mb MiB" 200 peak 1 "$(read_all 2 "$in/huawei-$json_mb.json")"
fi
alone "--version" 0.005 wall 20 "exec '$program' --version"
alone "convert of a file of 10 kB" 0.010 wall 20 "exec '$program' convert -q '$in/small.fit' --to gpx --out '$out/small.gpx' --force"
