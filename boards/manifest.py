# What a build with the application inside freezes: the package, the roots that the build extracts
# from certifi, and the two files that a stock board would keep as source (those on the board's
# file system come first on sys.path, so the owner's bot.py still wins).
# A board's own manifest adds asyncio where its port does not bring it.
package("copepod", base_path="../firmware", opt=3)  # noqa: F821
package("copepod", files=["net/roots.py"], base_path="../build/frozen", opt=3)  # noqa: F821
module("main.py", base_path="../firmware", opt=3)  # noqa: F821
module("bot.py", base_path="../firmware", opt=3)  # noqa: F821
