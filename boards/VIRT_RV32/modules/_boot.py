# First code of the firmware after each reset: the disk becomes the root directory, as ESP32's _boot.py does it.
import gc, vfs, virt

try:
    vfs.mount(virt.Block(), "/")
except OSError as exc:
    print("no file system:", exc)
gc.collect()
