# The collector's meter: wrapped at link time, so that MicroPython's sources stay as they are.
GCSTAT_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(GCSTAT_DIR)/gcstat.c
LDFLAGS_USERMOD += -Wl,--wrap=gc_collect -Wl,--wrap=gc_init
