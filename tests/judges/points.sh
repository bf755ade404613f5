#!/usr/bin/env bash
# Lets gpxpy and GPSBabel count the points of the GPX and TCX that paceport writes: tests/judges/points.sh VENV PACEPORT FOLDER…
# gpxpy is installed into the virtual environment VENV. Without Python or GPSBabel the judges are skipped with a message.
set -euo pipefail
venv=${1:?usage: tests/judges/points.sh VENV PACEPORT FOLDER…}
shift
here=$(cd "$(dirname "$0")" && pwd)
for program in python3 gpsbabel; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "skipped: no $program for the judges of points"
        exit 0
    fi
done
if ! "$venv/bin/python" -c 'import gpxpy' >/dev/null 2>&1; then
    if ! python3 -m venv "$venv" >/dev/null 2>&1; then
        echo "skipped: python3 has no venv module for the judges of points"
        exit 0
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
fi
exec "$venv/bin/python" "$here/points.py" "$@"
