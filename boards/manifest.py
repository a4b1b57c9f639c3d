# What a build with the application inside freezes: the package, its generated modules (the roots
# and the day of the build, which host_tools writes to build/frozen/), and the two files that a
# stock board keeps as source. Those on the board's file system come first on sys.path, so the
# owner's bot.py still wins. A board's own manifest adds asyncio where its port does not bring it.
package("copepod", base_path="../firmware", opt=3)  # noqa: F821
package(  # noqa: F821
    "copepod", files=["net/roots.py", "net/built.py"], base_path="../build/frozen", opt=3
)
module("main.py", base_path="../firmware", opt=3)  # noqa: F821
module("bot.py", base_path="../firmware", opt=3)  # noqa: F821
