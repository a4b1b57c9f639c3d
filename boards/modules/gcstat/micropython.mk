# The collector's meter: gc_collect is wrapped at link time, MicroPython's sources stay as they are.
GCSTAT_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(GCSTAT_DIR)/gcstat.c
LDFLAGS_USERMOD += -Wl,--wrap=gc_collect
