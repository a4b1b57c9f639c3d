# First code of the firmware after each reset: the disk becomes the root directory, the network card is switched on.
import vfs, virt, network

try:
    vfs.mount(vfs.VfsLfs2(virt.Block()), "/")
except OSError as exc:
    print("no file system:", exc)
try:
    network.LAN().active(True)
except OSError as exc:
    print("no network:", exc)
