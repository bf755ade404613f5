#!/usr/bin/env bash
# Builds the fuzz targets with a stable compiler and runs each for so many seconds (default 60), all of them or those
# named: `tests/fuzz/run.sh [SECONDS [TARGET…]]`. Corpora grow in tests/fuzz/corpus, findings are left in
# tests/fuzz/artifacts; the exit status is 1 when there is one. FUZZ_FLAGS go to every target.
set -euo pipefail
cd "$(dirname "$0")"
seconds="${1:-60}"
shift || true
target="$(rustc -vV | sed -n 's/^host: //p')"
build() {
    # With --target, build scripts and procedural macros stay as they are.
    RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table" \
        cargo build --quiet --release --target "$target"
}
build
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for file in src/bin/*.rs; do targets+=("$(basename "$file" .rs)"); done

# Every bundled fixture is a seed of every target: a reader must also stand what is not its own.
seeds="$(mktemp -d)"
trap 'rm -rf "$seeds"' EXIT
mkdir "$seeds/members" "$seeds/all" "$seeds/journals"
if command -v unzip >/dev/null 2>&1; then
    find ../../fixtures/exports ../../fixtures/tour -name '*.zip' | while read -r archive; do
        unzip -qq -o "$archive" -d "$seeds/members" || true
    done
fi
named='for file do cp "$file" "$0/$(sha256sum "$file" | cut -c1-16)"; done'
find ../../fixtures "$seeds/members" -type f -size -64k -exec sh -c "$named" "$seeds/all" {} +
find ../../fixtures -name '*.jsonl' -exec sh -c "$named" "$seeds/journals" {} +
seed() {
    mkdir -p "corpus/$1" "artifacts/$1"
    case "$1" in
    # The first byte says that the lines behind it are to be sealed.
    journal) for file in "$seeds"/journals/*; do printf '\001' | cat - "$file" >"corpus/journal/$(basename "$file")"; done ;;
    *) cp -n "$seeds"/all/* "corpus/$1/" ;;
    esac
}
# Words of the formats, as they stand in the readers.
mkdir -p corpus
grep -rhoE 'b?"[A-Za-z_:<>./-]{3,24}"' ../../src/formats ../../src/json ../../src/exports | sed 's/^b//' | sort -u >corpus/words

failed=0
for name in "${targets[@]}"; do
    seed "$name"
    log="artifacts/$name.log"
    status=0
    "target/$target/release/$name" "corpus/$name" -dict=corpus/words -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=1024 -max_len=65536 -len_control=20 -print_final_stats=1 \
        -artifact_prefix="artifacts/$name/" ${FUZZ_FLAGS:-} >"$log" 2>&1 || status=$?
    runs="$(sed -n 's/^stat::number_of_executed_units: //p' "$log")"
    echo "$name: ${runs:-?} runs in $seconds s, $(find "corpus/$name" -type f | wc -l) in the corpus"
    if [ "$status" -ne 0 ]; then
        failed=1
        grep -aE "panicked|ERROR|SUMMARY|Test unit written" "$log" | head -n 5
    fi
done
exit "$failed"
