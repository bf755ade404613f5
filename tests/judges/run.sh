#!/usr/bin/env bash
# Lets independent FIT readers judge a folder of written files: tests/judges/run.sh FOLDER
# FOLDER holds *.fit and expected.json (see fit_judges.py); the readers live in a virtual environment beside it.
# Missing Python is no failure: the judges are then skipped with a message. Everything else is.
set -euo pipefail
folder=${1:?usage: tests/judges/run.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v python3 >/dev/null 2>&1; then
    echo "skipped: no python3 for the FIT judges"
    exit 0
fi
venv=$folder/.judges
if ! "$venv/bin/python" -c 'import fitdecode, garmin_fit_sdk' >/dev/null 2>&1; then
    if ! python3 -m venv "$venv" >/dev/null 2>&1; then
        echo "skipped: python3 has no venv module for the FIT judges"
        exit 0
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
fi
exec "$venv/bin/python" "$here/fit_judges.py" "$folder"
