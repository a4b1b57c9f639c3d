"""A whole board without one: main.py and the gateway on the ESP32 port, over the fakes, on Unix.

    micropython -X heapsize=2m board.py CONFIG RTC_FILE [CAUSE]

RTC memory is RTC_FILE; CAUSE is machine.reset_cause() of this start. Wi-Fi comes up in the fake
world's own time, which takes none; sockets, TLS and the two seconds for Ctrl-C are real.
"""

import asyncio
import json
import sys
import time

from fakes.world import Reset, install


def main(config_path, rtc_path, cause):
    """Start the board once."""
    world, port = install()
    import machine
    import network
    import ntptime

    with open(config_path) as file:
        wifi = json.load(file)["wifi"]
    network.air.points[wifi["ssid"]] = network.AccessPoint(wifi["password"])
    ntptime.answers["time.cloudflare.com"] = int(time.time())
    try:
        with open(rtc_path, "rb") as file:
            machine.starts(cause, file.read())
    except OSError:
        machine.starts(machine.PWRON_RESET)
    rtc_file = open(rtc_path, "wb")
    copy = machine.RTC.memory

    def memory(self, data=None):
        if data is not None:
            rtc_file.seek(0)
            rtc_file.write(data)
        return copy(self, data)

    machine.RTC.memory = memory
    memory(None, copy(None))
    asyncio.sleep_ms = world.sleep_ms  # wifi.py and ntp.py take it when they are loaded
    from copepod import boot as entry

    try:
        entry.main(config_path)
    except Reset as reset:
        print("board: reset", reset.args[0])
        sys.exit(reset.args[0])
    print("board: REPL, watchdog", machine.watchdog_ms())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 2)
