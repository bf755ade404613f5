"""Independent readers judge FIT files that paceport wrote: fit_judges.py FOLDER

FOLDER/expected.json: {"name.fit": {"records": 3, "laps": 1, "sessions": 1, "times": [first, last],
"heart_rates": 3, "positions": 3}, ...}, times in FIT seconds; every *.fit in the folder must be listed.

Garmin's SDK must find a FIT file, whole and with a right CRC, and read it without an error. fitdecode must read it in its
strict mode (every warning, wrong CRC or malformed field is an error). Both must count the same messages as expected.
"""

import json
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fitdecode
from garmin_fit_sdk import Decoder, Stream

warnings.simplefilter("error")


def by_garmin(path):
    """Counts of Garmin's SDK, and what it complains about."""
    wrong = []
    if not Decoder(Stream.from_file(path)).is_fit():
        wrong.append("is_fit is false")
    if not Decoder(Stream.from_file(path)).check_integrity():
        wrong.append("check_integrity is false")
    messages, errors = Decoder(Stream.from_file(path)).read(convert_datetimes_to_dates=False, merge_heart_rates=False)
    wrong += [f"error: {error}" for error in errors]
    records = messages.get("record_mesgs", [])
    times = [record["timestamp"] for record in records]
    counts = {
        "records": len(records),
        "laps": len(messages.get("lap_mesgs", [])),
        "sessions": len(messages.get("session_mesgs", [])),
        "times": [times[0], times[-1]] if times else None,
        "heart_rates": sum("heart_rate" in record for record in records),
        "positions": sum("position_lat" in record and "position_long" in record for record in records),
    }
    return counts, wrong


def is_native(field):
    return not isinstance(field.field_def, fitdecode.types.DevFieldDefinition)


def by_fitdecode(path):
    """Counts of fitdecode in strict mode, and what it complains about."""
    counts = {"records": 0, "laps": 0, "sessions": 0, "times": None, "heart_rates": 0, "positions": 0}
    wrong = []
    reader = fitdecode.FitReader(
        path,
        check_crc=fitdecode.CrcCheck.RAISE,
        error_handling=fitdecode.ErrorHandling.RAISE,
        processor=fitdecode.DataProcessorBase(),
    )
    try:
        with reader:
            for frame in reader:
                if not isinstance(frame, fitdecode.FitDataMessage):
                    continue
                if frame.name == "lap":
                    counts["laps"] += 1
                elif frame.name == "session":
                    counts["sessions"] += 1
                elif frame.name == "record":
                    own = (field for field in frame.fields if not field.is_expanded and is_native(field))
                    value = {field.def_num: field.raw_value for field in own}
                    counts["records"] += 1
                    time = value[253]
                    counts["times"] = [counts["times"][0] if counts["times"] else time, time]
                    counts["heart_rates"] += value.get(3) is not None
                    counts["positions"] += value.get(0) is not None and value.get(1) is not None
    except Exception as error:  # whatever the reader stumbles over is a verdict
        wrong.append(f"{type(error).__name__}: {error}")
    return counts, wrong


def judge(job):
    """Everything that is wrong with one file."""
    path, expected = job
    found = []
    for name, reader in [("garmin-fit-sdk", by_garmin), ("fitdecode", by_fitdecode)]:
        counts, wrong = reader(path)
        wrong += [f"{key}: {counts[key]}, expected {value}" for key, value in expected.items() if counts[key] != value]
        found += [f"{Path(path).name}: {name}: {what}" for what in wrong]
    return found


def main():
    folder = Path(sys.argv[1])
    expected = json.loads((folder / "expected.json").read_text())
    names = sorted(path.name for path in folder.glob("*.fit"))
    found = [f"{name}: not in expected.json" for name in names if name not in expected]
    found += [f"{name}: missing" for name in expected if name not in names]
    jobs = [(str(folder / name), expected[name]) for name in names if name in expected]
    with ProcessPoolExecutor() as pool:
        for some in pool.map(judge, jobs, chunksize=4):
            found += some
    print("\n".join(found))
    print(f"{len(jobs)} FIT files judged, {len(found)} complaints")
    return 1 if found or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
