"""From the path of the config to a gateway that runs. Memory: two functions; see prepare.py."""

from copepod.once import forget


def run(path):
    """Run the gateway with the config at `path`; returns an exit status when there is nothing to retry.

    0 after Ctrl-C, 1 when the config, the certificates or the token can't be used. Anything else is raised.
    """
    parts = _parts(path)
    if parts is None:
        return 1
    from copepod import gateway

    return gateway.run(*parts)


def _parts(path):
    # A function of its own, so that no frame that lives on refers to the module.
    from copepod import prepare

    forget("copepod.prepare")
    return prepare.parts(path)
