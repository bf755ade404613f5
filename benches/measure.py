#!/usr/bin/env python3
"""Whole processes measured from outside, one command in turn with another, so that a busy machine disturbs both alike.

    measure.py pair NAME BAR cpu|wall ROUNDS COMMAND COMMAND    a row: the first command's time as a ratio of the second's
    measure.py each NAME BAR cpu|wall ROUNDS COUNT COMMAND COUNT COMMAND    the same for one of COUNT things
    measure.py alone NAME BAR cpu|wall|peak ROUNDS COMMAND      a row: seconds, or MiB of memory at the peak

Commands are given to `sh -c`; what they print is thrown away. The ratio of a row is the median over all rounds.
"""

import os
import statistics
import subprocess
import sys
import time


def run(command):
    """Seconds by the clock, seconds of processor time of it and its children, MiB at the peak of its largest process."""
    began = time.monotonic()
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # 3: done, but a source was damaged; files of the corpus are.
    if process.returncode not in (0, 3):
        sys.exit(f"exit code {process.returncode}: {command}")
    return {"wall": time.monotonic() - began, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def row(name, bar, value, unit, tail):
    met = "" if bar == "-" else "yes" if value <= float(bar) else "NO"
    print(f"| {name} | {'' if bar == '-' else '≤ ' + bar + unit} | {value:.3g}{unit} | {met} | {tail} |", flush=True)


def main(arguments):
    match arguments:
        case ["pair", name, bar, figure, rounds, one, other]:
            main(["each", name, bar, figure, rounds, "1", one, "1", other])
        case ["each", name, bar, figure, rounds, of_one, one, of_other, other]:
            scale = int(of_other) / int(of_one)
            pairs = [(run(one), run(other)) for _ in range(int(rounds) + 1)][1:]
            ratio = statistics.median(a[figure] / b[figure] * scale for a, b in pairs)
            a, b = (statistics.median(pair[side][figure] for pair in pairs) for side in (0, 1))
            row(name, bar, ratio, "", f"{a:.3f} s / {b:.3f} s {figure}")
        case ["alone", name, bar, figure, rounds, one]:
            runs = [run(one) for _ in range(int(rounds) + 1)][1:]
            unit = " MiB" if figure == "peak" else " s"
            row(name, bar, min(r[figure] for r in runs), unit, "least of the rounds")
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
