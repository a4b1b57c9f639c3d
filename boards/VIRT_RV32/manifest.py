# What the firmware freezes: the start-up code, asyncio (this port brings none) and the application.
module("_boot.py", base_path="modules", opt=3)  # noqa: F821
module("_live.py", base_path="modules", opt=3)  # noqa: F821
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
include("../manifest.py")  # noqa: F821
