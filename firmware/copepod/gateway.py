"""The gateway as a whole, made from its settings. Memory: what runs; see supervisor.py."""

import asyncio

from copepod.log import log
from copepod.supervisor import Gateway
from copepod.telegram.api import Stop


def run(config, telemetry):
    """Run with these settings; returns an exit status when there is nothing to retry: see startup.run."""
    try:
        asyncio.run(Gateway(config, telemetry).main())
    except Stop as error:
        log("telegram", error)
        return 1
    except KeyboardInterrupt:
        telemetry.event("stop", 0)
        telemetry.frame("stop")
        return 0
