# The second variant (`copepod firmware --frozen`): with the application in it.
include("manifest.py")  # noqa: F821
include("../manifest.py")  # noqa: F821
