# An interpreter with the application in it.
include("manifest_stock.py")  # noqa: F821
include("../manifest.py")  # noqa: F821
