"""Writes a measurement to flash every ten minutes; /log shows the last ones, /logfile sends them all.

An old file makes room.
"""

import os
from machine import ADC, Pin
from time import gmtime

from copepod.handlers import on_command
from copepod.timers import every

FILE, OLD = "log.csv", "log.old.csv"
MOST_B = 20000  # of each of the two
probe = ADC(Pin(34), atten=ADC.ATTN_11DB)


@every(600)
def write():
    with open(FILE, "a") as file:
        file.write("%d-%02d-%02d %02d:%02d,%d\n" % (gmtime()[:5] + (probe.read(),)))
    if os.stat(FILE)[6] > MOST_B:
        os.rename(FILE, OLD)


@on_command("log", "the last lines: /log 20")
async def log(msg):
    count = int(msg.args or 10)
    lines = []
    try:
        with open(FILE) as file:
            for line in file:  # no more than `count` of them are held
                lines = lines[-count + 1 :] + [line]
    except OSError:
        return "Nothing is written yet."
    return "```\n" + "".join(lines) + "```"


@on_command("logfile", "the whole file; /logfile old: the one before")
async def logfile(msg):
    try:
        await msg.answer_document(OLD if msg.args == "old" else FILE, "Time, **reading**")
    except OSError:
        return "It is not there yet."
