# What a build with the application inside freezes. host_tools writes build/frozen/: the package with
# the modules that always run together linked into one, its generated modules (the roots, the day of
# the build), and the two files that a stock board keeps as source. Those on the board's file system
# come first on sys.path, so the owner's bot.py still wins.
# A board's own manifest adds asyncio where its port does not bring it.
package("copepod", base_path="../build/frozen", opt=3)  # noqa: F821
module("main.py", base_path="../build/frozen", opt=3)  # noqa: F821
module("bot.py", base_path="../build/frozen", opt=3)  # noqa: F821
