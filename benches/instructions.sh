#!/usr/bin/env bash
# Instructions that a sample costs `inspect` and `convert`, counted by callgrind and compared with benches/instructions.tsv: a figure that has grown
# by more than 5 % fails. Counts hardly depend on the machine or on what else it does; they do on its architecture, on the
# compiler and on the profile (`fast`).
#   benches/instructions.sh            compare
#   benches/instructions.sh --update   write the figures anew: after an improvement, a new compiler, or a cost that is worth it
# PACEPORT_PROGRAM=… measures that program instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null 2>&1; then
    (apt-get update -q && apt-get install -qy valgrind) >/dev/null 2>&1 || true
fi
command -v valgrind >/dev/null 2>&1 || { echo "valgrind is not here and cannot be installed; instructions are not counted"; exit 0; }
figures=benches/instructions.tsv
machine="$(uname -m)"
if [ "${1:-}" != --update ] && ! grep -q "^# $machine," "$figures"; then
    echo "the figures are not those of $machine; instructions are not counted"
    exit 0
fi
program=${PACEPORT_PROGRAM:-target/fast/paceport}
[ -n "${PACEPORT_PROGRAM:-}" ] || cargo build --locked --quiet --profile fast
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
few=2000 many=6000
for kind in fit gpx tcx; do
    for seconds in $few $many; do
        python3 benches/inputs.py ride $kind $seconds "$work/$seconds.$kind"
    done
done

count() { # count ARGUMENTS…: instructions of a whole run
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 >/dev/null | awk '/Collected/ { print $4 }'
}
# Loading and hashing 1 MiB. It is left out: without the processor's own instructions, which valgrind does not know, SHA-256
# takes several times as many as reading does.
head -c 1048576 /dev/zero >"$work/1.bin"
head -c 2097152 /dev/zero >"$work/2.bin"
hashing=$(($(count inspect -q -j 1 "$work/2.bin") - $(count inspect -q -j 1 "$work/1.bin")))

each() { # each NAME KIND ARGUMENTS…: instructions of one sample, start-up left out
    local name=$1 kind=$2 one other bytes
    shift 2
    one=$(count "$@" "$work/$few.$kind")
    other=$(count "$@" "$work/$many.$kind")
    bytes=$(($(wc -c <"$work/$many.$kind") - $(wc -c <"$work/$few.$kind")))
    printf '%s\t%d\n' "$name" $(((other - one - hashing * bytes / 1048576) / (many - few)))
}
{
    echo "# $machine, $(rustc --version | cut -d' ' -f1-2), profile fast: instructions a sample"
    for kind in fit gpx tcx; do
        each "inspect $kind" $kind inspect -q -j 1
        each "convert $kind to $kind" $kind convert -q -j 1 --to $kind --force --out "$work/out.$kind"
    done
} >"$work/figures.tsv"
if [ "${1:-}" = --update ]; then
    cp "$work/figures.tsv" "$figures"
    cat "$figures"
    exit 0
fi
awk -F'\t' '
    /^#/ { heads[FNR == NR] = $0; next }
    FNR == NR { was[$1] = $2; next }
    {
        grown = ($2 / was[$1] - 1) * 100
        printf "%-22s %6d, was %6d, %+.1f %%\n", $1, $2, was[$1], grown
        if (!($1 in was) || grown > 5) worse = worse " " $1 ";"
        if (grown < -5) better = 1
    }
    END {
        if (better) print "some have improved: keep that with benches/instructions.sh --update"
        if (worse) {
            print "more than 5 % worse:" worse
            if (heads[0] != heads[1]) print "the compiler is another one: " heads[1] " / " heads[0]
            exit 1
        }
    }' "$figures" "$work/figures.tsv"
