# First code of the firmware after each reset: the disk becomes the root directory, the network card is switched on.
import vfs, virt, network

try:
    # Small caches: the config is read once, and they lie in Python's heap.
    vfs.mount(vfs.VfsLfs2(virt.Block(), readsize=16, progsize=16, lookahead=8), "/")
except OSError as exc:
    print("no file system:", exc)
try:
    network.LAN().active(True)
except OSError as exc:
    print("no network:", exc)
