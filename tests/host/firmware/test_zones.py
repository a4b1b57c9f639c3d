"""copepod/tz.py under MicroPython against CPython's zoneinfo, and against the C library where that differs."""

from __future__ import annotations

import datetime
import io
import json
import os
import random
import struct
import subprocess
import time
import zoneinfo
from collections.abc import Iterator

import pytest

from host_tools.app.build import FIRMWARE
from host_tools.toolchain import locate

# The rules of: UTC, Berlin, Riyadh, New York, Kolkata, Auckland, Dublin (whose winter is the exception), Lord Howe
# (half an hour), Santiago (at 24:00), Nuuk (on the day before), Gaza (50 hours on), Casablanca's like, and one by the
# number of the day.
ZONES = (
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "<+03>-3",
    "EST5EDT,M3.2.0,M11.1.0",
    "IST-5:30",
    "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "EET-2EEST,M3.4.4/50,M10.4.4/50",
    "AAA3BBB,J60/1,J300",
    "EST5EDT,0/0,J365/25",  # always daylight saving, as RFC 8536 writes it
)
BY_DAY_NUMBER = "AAA-3BBB,59,299/5:30"  # zoneinfo takes day 0 for 31 December

SPANS = """
import json, sys
from copepod import tz
for line in sys.stdin:
    text, moments = json.loads(line)
    zone = tz.parse(text)
    print(json.dumps([tz.span(zone, at) for at in moments]))
"""


def spans(text: str, moments: list[int]) -> list[list[int]]:
    """What the device's module answers."""
    run = subprocess.run(
        [str(locate.interpreter("unix")), "-c", SPANS],
        env=os.environ | {"MICROPYPATH": f"{FIRMWARE}:.frozen"},
        input=json.dumps([text, moments]) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return json.loads(run.stdout)


def moments() -> list[int]:
    """Some hundred between 2000 and 2100, always the same."""
    dice = random.Random(13)
    return [dice.randrange(946684800, 4102444800) for _ in range(300)]


def posix(text: str) -> zoneinfo.ZoneInfo:
    """CPython's reading of the rule: a zone file of version 2 that has nothing else."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    header = b"TZif2" + b"\0" * 15 + counts + struct.pack(">lbb", 0, 0, 0) + b"UTC\0"
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(header * 2 + b"\n" + text.encode() + b"\n"))


def with_edges(found: list[list[int]]) -> list[int]:
    """The seconds beside each change."""
    edges = {edge + step for start, end, _ in found for edge in (start, end) for step in (-1, 0)}
    return sorted(edge for edge in edges if 946684800 <= edge < 4102444800)


@pytest.mark.parametrize("text", ZONES)
def test_as_zoneinfo_has_it(text: str) -> None:
    zone = posix(text)
    asked = moments()
    found = spans(text, asked)
    asked += with_edges(found)
    for at, (start, end, offset) in zip(asked, spans(text, asked), strict=True):
        local = datetime.datetime.fromtimestamp(at, zone)
        assert local.utcoffset() == datetime.timedelta(seconds=offset), (text, at)
        assert start <= at < end


@pytest.fixture
def libc() -> Iterator[None]:
    """The C library's zone is this process's, and put back."""
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("libc")
def test_by_the_number_of_the_day_as_the_c_library_has_it() -> None:
    os.environ["TZ"] = BY_DAY_NUMBER
    time.tzset()
    asked = moments()
    asked += with_edges(spans(BY_DAY_NUMBER, asked))
    for at, (_, _, offset) in zip(asked, spans(BY_DAY_NUMBER, asked), strict=True):
        assert time.localtime(at).tm_gmtoff == offset, at
