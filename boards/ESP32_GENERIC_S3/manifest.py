# The port's own modules (asyncio, ntptime, mip, …), then the gateway: the same manifest that the
# Unix and bare-metal builds freeze, so that what it names is known to be complete.
include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821
include("../manifest.py")  # noqa: F821
