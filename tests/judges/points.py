#!/usr/bin/env python3
"""Outside judges of the GPX and TCX that paceport writes: gpxpy and GPSBabel must read every file and count the same
points with position that `paceport inspect` counts in the source.

    tests/judges/points.sh VENV target/release/paceport FOLDER…

Prints every difference and ends with status 1 when there is one.
"""

import json
import subprocess
import sys
import tempfile

import gpxpy


def lines(command):
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: {run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def by_gpxpy(path):
    with open(path, encoding="utf-8") as file:
        return gpxpy.parse(file).get_track_points_no()


def by_gpsbabel(path, format):
    command = ["gpsbabel", "-t", "-i", format, "-f", path, "-o", "unicsv", "-F", "-"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = run.stdout.splitlines()
    return max(len(rows) - 1, 0)


def has(path, text):
    with open(path, encoding="utf-8") as file:
        return text in file.read()


def main():
    paceport, *folders = sys.argv[1:]
    expected = {}
    for line in lines([paceport, "inspect", "--json", *folders]):
        if line["kind"] == "activity":
            expected[line["source"], line["index"]] = line["positions"]
    wrong = met = 0
    for format, babel in (("gpx", "gpx"), ("tcx", "gtrnctr")):
        with tempfile.TemporaryDirectory() as out:
            for line in lines([paceport, "convert", "--json", "--to", format, "--out", out, *folders]):
                if line["kind"] != "output" or line["error"]:
                    continue
                path, positions = line["path"], expected[line["source"], line["index"]]
                counts = {}
                # GPSBabel gives nothing at all for a MultiSportSession, whoever wrote it.
                if not has(path, "<MultiSportSession>"):
                    counts["gpsbabel"] = by_gpsbabel(path, babel)
                if format == "gpx":
                    counts["gpxpy"] = by_gpxpy(path)
                met += 1
                for judge, count in counts.items():
                    if count != positions:
                        wrong += 1
                        print(f"{line['source']} as {format}: {judge} counts {count} points instead of {positions}")
    print(f"{met} files, {wrong} differences")
    sys.exit(1 if wrong or not met else 0)


if __name__ == "__main__":
    main()
