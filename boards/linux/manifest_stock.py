# An interpreter without the application: as on stock boards, asyncio is frozen.
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
