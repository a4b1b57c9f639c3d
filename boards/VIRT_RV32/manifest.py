module("_boot.py", base_path="$(BOARD_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
