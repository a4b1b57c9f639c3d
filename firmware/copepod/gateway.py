"""The gateway as a whole, made from its settings. Memory: what runs; see supervisor.py."""

import asyncio

# What runs is loaded here; assembly.py makes the objects and is dropped again.
from copepod.access import Access  # noqa: F401
from copepod.bus import Bus  # noqa: F401
from copepod.log import log
from copepod.once import forget
from copepod.platform import record
from copepod.signal import Signal  # noqa: F401
from copepod.supervisor import Gateway  # noqa: F401
from copepod.telegram.methods import Stop
from copepod.telegram.channel import Channel  # noqa: F401
from copepod.text.state import State
from copepod.textbuffer import TextBuffer  # noqa: F401
from copepod.worker import Worker  # noqa: F401


def run(config, telemetry):
    """Run with these settings; returns an exit status when there is nothing to retry: see startup.run."""
    made = _made(config, telemetry)
    telemetry.frame("bus-created", True)
    asyncio.get_event_loop().set_exception_handler(_task_failed)
    try:
        asyncio.run(made.main())
    except Stop as error:
        log("telegram", error)
        return 1
    except KeyboardInterrupt:
        telemetry.event("stop", 0)
        telemetry.frame("stop")
        return 0
    finally:
        for ending in record.endings:
            ending()


def _made(config, telemetry):
    # A function of its own, so that no frame that lives on refers to the module.
    from copepod import assembly

    forget("copepod.assembly")
    made = assembly.gateway(config, telemetry)
    assembly.made_once(State)
    return made


def _task_failed(loop, context):
    from copepod import failures

    failures.task_failed(context)
    forget("copepod.failures")
