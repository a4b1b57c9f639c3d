"""The gateway as a whole, made from its settings. Memory: what runs; see supervisor.py."""

import asyncio

from copepod.log import log
from copepod.once import forget
from copepod.supervisor import Gateway
from copepod.telegram.api import Stop


def run(config, telemetry):
    """Run with these settings; returns an exit status when there is nothing to retry: see startup.run."""
    asyncio.get_event_loop().set_exception_handler(_task_failed)
    try:
        asyncio.run(Gateway(config, telemetry).main())
    except Stop as error:
        log("telegram", error)
        return 1
    except KeyboardInterrupt:
        telemetry.event("stop", 0)
        telemetry.frame("stop")
        return 0


def _task_failed(loop, context):
    # A task of the user's own that nobody awaits.
    from copepod.visible import trace

    error = context["exception"]
    log("task", "failed: ", type(error).__name__, ": ", error)
    trace(error)
    forget("copepod.visible")
