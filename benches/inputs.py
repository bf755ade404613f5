#!/usr/bin/env python3
"""Synthetic inputs for the measurements of this folder, the same ones every time.

    inputs.py ride KIND SECONDS FILE     one ride as fit, gpx or tcx, a sample a second
    inputs.py files COUNT FOLDER         COUNT FIT files of a few minutes to three hours
    inputs.py archive COUNT FILE         a zip of COUNT files, .fit.gz, .gpx, .gpx.gz, .tcx and .tcx.gz, 134 kB each on average
    inputs.py tiny COUNT FILE            a zip of COUNT GPX files of three points
    inputs.py json MEGABYTES FILE        a JSON export in the form of Huawei Health

The FIT files have the layout of a head unit: position, distance, altitude, speed, heart rate, cadence, power, temperature, two
fields that no profile names, a lap every quarter of an hour, a pause. Nothing here uses the program that is measured.
"""

import array
import gzip
import io
import random
import struct
import sys
import zipfile
from datetime import datetime, timedelta, timezone

FIT_EPOCH = datetime(1989, 12, 31, tzinfo=timezone.utc)
FIRST_DAY = datetime(2012, 3, 1, 6, tzinfo=timezone.utc)
LAP = 900


def walk(seed, seconds):
    """Rows of semicircles, altitude cm, cm travelled, mm/s, bpm, rpm, W, degrees C: each a little different from the last."""
    dice = random.Random(seed)
    lat, lon = 560_000_000 + dice.randrange(10_000_000), 99_000_000 + dice.randrange(10_000_000)
    altitude, travelled, heart, power = 45_000, 0, 110, 180
    north, east = 700, 300
    rows = []
    for second in range(seconds):
        wind = dice.getrandbits(24)
        north += (wind & 63) - 32 - north // 64
        east += (wind >> 6 & 63) - 32 - east // 64
        lat, lon = lat + north, lon + east
        speed = 7000 + (wind >> 12 & 1023)
        travelled += speed // 10
        altitude += (wind >> 5 & 31) - 15
        heart = min(185, max(95, heart + (wind >> 9 & 3) - 1 - (heart > 150)))
        power = 0 if wind & 31 == 7 else 120 + (wind >> 3 & 127)
        cadence = 0 if power == 0 else 78 + (wind >> 17 & 15)
        rows.append((lat, lon, altitude, travelled, speed, heart, cadence, power, 17 + second // 3600))
    return rows


def crc16(data, table=[]):
    """CRC-16/ARC, two bytes at a time."""
    if not table:
        for value in range(65536):
            for _ in range(16):
                value = value >> 1 ^ (0xA001 if value & 1 else 0)
            table.append(value)
    words = array.array("H", data[: len(data) & ~1])
    if sys.byteorder == "big":
        words.byteswap()
    crc = 0
    for word in words:
        crc = table[crc ^ word]
    for byte in data[len(data) & ~1 :]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def define(local, message, fields):
    out = struct.pack("<BBBHB", 0x40 | local, 0, 0, message, len(fields))
    return out + b"".join(struct.pack("BBB", *field) for field in fields)


def fit(start, rows):
    began = int((start - FIT_EPOCH).total_seconds())
    out = io.BytesIO()
    out.write(define(0, 0, [(3, 4, 0x8C), (4, 4, 0x86), (1, 2, 0x84), (2, 2, 0x84), (0, 1, 0)]))
    out.write(struct.pack("<BIIHHB", 0, 4242, began, 1, 1836, 4))
    out.write(define(3, 21, [(253, 4, 0x86), (0, 1, 0), (1, 1, 0)]))
    out.write(struct.pack("<BIBB", 3, began, 0, 0))
    out.write(define(1, 20, [(253, 4, 0x86), (0, 4, 0x85), (1, 4, 0x85), (5, 4, 0x86), (2, 2, 0x84), (6, 2, 0x84),
                             (7, 2, 0x84), (61, 2, 0x84), (66, 2, 0x83), (3, 1, 2), (4, 1, 2), (13, 1, 1)]))
    out.write(define(2, 19, [(253, 4, 0x86), (2, 4, 0x86), (7, 4, 0x86), (8, 4, 0x86), (9, 4, 0x86), (0, 1, 0), (1, 1, 0)]))
    record = struct.Struct("<BIiiIHHHHhBBb")
    lap_from, lap_at = began, 0
    for i, (lat, lon, altitude, travelled, speed, heart, cadence, power, warmth) in enumerate(rows):
        now = began + i
        height = (altitude // 100 + 500) * 5
        out.write(record.pack(1, now, lat, lon, travelled, height, speed, power, height, i % 97, heart, cadence, warmth))
        if i % LAP == LAP - 1 or i + 1 == len(rows):
            spent = (now - lap_from) * 1000
            out.write(struct.pack("<BIIIIIBB", 2, now, lap_from, spent, spent, travelled - lap_at, 9, 1))
            lap_from, lap_at = now, travelled
    now, spent = began + len(rows) - 1, (len(rows) - 1) * 1000
    out.write(struct.pack("<BIBB", 3, now, 0, 4))
    out.write(define(4, 18, [(253, 4, 0x86), (2, 4, 0x86), (7, 4, 0x86), (8, 4, 0x86), (9, 4, 0x86), (5, 1, 0), (6, 1, 0)]))
    out.write(struct.pack("<BIIIIIBB", 4, now, began, spent, spent, rows[-1][3], 2, 0))
    out.write(define(5, 34, [(253, 4, 0x86), (0, 4, 0x86), (1, 2, 0x84), (2, 1, 0), (3, 1, 0), (4, 1, 0)]))
    out.write(struct.pack("<BIIHBBB", 5, now, spent, 1, 0, 26, 1))
    body = out.getvalue()
    head = struct.pack("<BBHI4s", 14, 0x20, 2132, len(body), b".FIT")
    head += struct.pack("<H", crc16(head))
    return head + body + struct.pack("<H", crc16(head + body))


def degrees(semicircles):
    return f"{semicircles * 180 / 2**31:.7f}"


def instants(start, rows):
    return ((start + timedelta(seconds=i)).strftime("%Y-%m-%dT%H:%M:%SZ") for i in range(len(rows)))


def gpx(start, rows):
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="a bike computer" xmlns="http://www.topografix.com/GPX/1/1"'
           ' xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">\n <trk>\n  <name>Evening ride</name>\n'
           '  <type>cycling</type>\n  <trkseg>\n']
    for time, (lat, lon, altitude, _, _, heart, cadence, power, warmth) in zip(instants(start, rows), rows):
        out.append(f'   <trkpt lat="{degrees(lat)}" lon="{degrees(lon)}">\n    <ele>{altitude / 100:.1f}</ele>\n    <time>{time}</time>\n'
                   f'    <extensions>\n     <power>{power}</power>\n     <gpxtpx:TrackPointExtension>\n'
                   f'      <gpxtpx:atemp>{warmth}</gpxtpx:atemp>\n      <gpxtpx:hr>{heart}</gpxtpx:hr>\n      <gpxtpx:cad>{cadence}</gpxtpx:cad>\n'
                   f'     </gpxtpx:TrackPointExtension>\n    </extensions>\n   </trkpt>\n')
    out.append("  </trkseg>\n </trk>\n</gpx>\n")
    return "".join(out).encode()


def tcx(start, rows):
    times = list(instants(start, rows))
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"'
           ' xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2">\n  <Activities>\n    <Activity Sport="Biking">\n'
           f'      <Id>{times[0]}</Id>\n']
    for lap in range(0, len(rows), LAP):
        of = rows[lap : lap + LAP]
        out.append(f'      <Lap StartTime="{times[lap]}">\n        <TotalTimeSeconds>{len(of) - 1}</TotalTimeSeconds>\n'
                   f'        <DistanceMeters>{(of[-1][3] - of[0][3]) / 100}</DistanceMeters>\n        <Calories>150</Calories>\n'
                   '        <Intensity>Active</Intensity>\n        <TriggerMethod>Manual</TriggerMethod>\n        <Track>\n')
        for time, (lat, lon, altitude, travelled, speed, heart, cadence, power, _) in zip(times[lap:], of):
            out.append(f'          <Trackpoint>\n            <Time>{time}</Time>\n            <Position>\n'
                       f'              <LatitudeDegrees>{degrees(lat)}</LatitudeDegrees>\n              <LongitudeDegrees>{degrees(lon)}</LongitudeDegrees>\n'
                       f'            </Position>\n            <AltitudeMeters>{altitude / 100:.1f}</AltitudeMeters>\n'
                       f'            <DistanceMeters>{travelled / 100:.2f}</DistanceMeters>\n            <HeartRateBpm>\n              <Value>{heart}</Value>\n'
                       f'            </HeartRateBpm>\n            <Cadence>{cadence}</Cadence>\n            <Extensions>\n              <ns3:TPX>\n'
                       f'                <ns3:Speed>{speed / 1000:.3f}</ns3:Speed>\n                <ns3:Watts>{power}</ns3:Watts>\n'
                       '              </ns3:TPX>\n            </Extensions>\n          </Trackpoint>\n')
        out.append("        </Track>\n      </Lap>\n")
    out.append("    </Activity>\n  </Activities>\n</TrainingCenterDatabase>\n")
    return "".join(out).encode()


WRITE = {"fit": fit, "gpx": gpx, "tcx": tcx}


def files(count, folder):
    dice = random.Random(9)
    for i in range(count):
        rows = walk(i, int(300 + 10_500 * dice.random() ** 2))
        with open(f"{folder}/{i:04}.fit", "wb") as out:
            out.write(fit(FIRST_DAY + timedelta(days=i), rows))


def archive(count, path):
    """Seven of ten are FIT; every day one activity, so that none is the same workout as another."""
    world, lengths = walk(7, 200_000), [600, 1200, 1800, 2400, 3200]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for i in range(count):
            start, length = FIRST_DAY + timedelta(days=i, seconds=i % 3600), lengths[i // 20 % len(lengths)]
            kind = "gpx" if i % 20 in (1, 7, 13) else "tcx" if i % 20 in (4, 10, 16) else "fit"
            length = length * {"fit": 10, "gpx": 4, "tcx": 3}[kind] // 10
            from_here = i * 997 % (len(world) - length)
            before = world[from_here][3]
            rows = [row[:3] + (row[3] - before,) + row[4:] for row in world[from_here : from_here + length]]
            content = WRITE[kind](start, rows)
            if kind == "fit" or i % 2 == 0:
                out.writestr(zipfile.ZipInfo(f"activities/{i}.{kind}.gz"), gzip.compress(content, 6, mtime=0), zipfile.ZIP_STORED)
            else:
                out.writestr(f"activities/{i}.{kind}", content)


def tiny(count, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for i in range(count):
            rows = [(560_000_000 + i * 100 + p * 900, 99_000_000, 45_000, 0, 0, 120 + i % 40, 0, 0, 20) for p in range(3)]
            out.writestr(f"{i // 1000}/{i}.gpx", gpx(FIRST_DAY + timedelta(hours=i), rows))


def huawei(megabytes, path):
    """An hour of running the same way, every day an hour and a minute later, with another heart rate."""
    track = [f"tp=lbs;k={i};lat={47 + i * 1e-5:.7f};lon={8.5 + i % 500 * 1.3e-5:.7f};alt=0.0;t=" for i in range(3600)]
    with open(path, "w") as out:
        out.write("[")
        day = 0
        while out.tell() < megabytes << 20:
            start = 1_200_000_000 + day * 90_061
            lines = [f"{line}{(start + i) / 1e9:.9f}E9;" for i, line in enumerate(track)]
            lines += [f"tp=h-r;k={(start + i) * 1000};v={120 + (i * 7 + day * 13) % 41};" for i in range(0, 3600, 5)]
            text = "HW_EXT_TRACK_DETAIL@is" + "\\n".join(lines) + "\\n"
            text += '&&HW_EXT_TRACK_SIMPLIFY@is{\\"totalDistance\\":10283,\\"avgHeartRate\\":139,\\"sportType\\":258}'
            comma = "," if day else ""
            out.write(f'{comma}\n{{"sportType":4,"startTime":{start * 1000},"totalTime":3600000,"timeZone":"+0100","attribute":"{text}"}}')
            day += 1
        out.write("\n]\n")


def main(arguments):
    match arguments:
        case ["ride", kind, seconds, path]:
            with open(path, "wb") as out:
                out.write(WRITE[kind](FIRST_DAY, walk(1, int(seconds))))
        case ["files", count, folder]:
            files(int(count), folder)
        case ["archive", count, path]:
            archive(int(count), path)
        case ["tiny", count, path]:
            tiny(int(count), path)
        case ["json", megabytes, path]:
            huawei(int(megabytes), path)
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
