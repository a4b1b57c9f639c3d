# What a test's main.py imports in the place of the firmware's own: the gateway at once, and when it ends, QEMU too.
import sys, virt


def run(pre=None):
    status = 1
    try:
        if pre:
            exec(pre, {})
        from copepod.startup import run

        status = run("/config.json")
    except KeyboardInterrupt:
        status = 0
    except SystemExit as end:
        status = end.value
    except Exception as error:
        sys.print_exception(error)
    virt.poweroff(status)
