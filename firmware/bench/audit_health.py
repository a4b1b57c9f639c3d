"""The health server: imported against not, and listening. Memory: what is kept, per row."""

import asyncio


class _Config:
    gateway_host = "127.0.0.1"
    gateway_port = 0


class _Gateway:
    config = _Config()


def not_imported():
    """`gateway.health` false: the default."""
    return True


def imported():
    """The module in memory."""
    from copepod import health

    return health


def listening():
    """The server waiting for its first client (on top of the module)."""
    from copepod import health

    asyncio.run(health.start(_Gateway()))
    return True


# What a module imports that is joined with others brings them all: the gateway is there in any case.
from copepod import gateway  # noqa: E402, F401

_ = asyncio.start_server  # loads asyncio.stream, which the gateway has too
KEPT = (
    ("not imported (the default)", not_imported),
    ("imported", imported),
    ("and listening", listening),
)
