# What the firmware freezes as a board comes: the start-up code and asyncio (this port brings none). The application is
# in files on the disk, so its names lie in Python's heap, as on a stock board.
module("_boot.py", base_path="modules", opt=3)  # noqa: F821
module("_live.py", base_path="modules", opt=3)  # noqa: F821
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
