# The drivers and the module `virt`, as a MicroPython C module.
VIRT_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(VIRT_DIR)/modvirt.c $(VIRT_DIR)/virt_main.c
SRC_USERMOD_LIB_C += $(addprefix $(VIRT_DIR)/, virt_machine.c virtqueue.c virtio_mmio.c virtio_rng.c virtio_blk.c \
	virtio_net.c c_heap.c mbedtls_port.c)
# Sessions hold what they would on an ESP32 (mbedtls_port.c).
LDFLAGS_USERMOD += -Wl,--wrap=mbedtls_ssl_setup -Wl,--wrap=mbedtls_ssl_free
# The collector's meter, which the Linux builds have, too.
USERMOD_DIR := $(BOARD_DIR)/../modules/gcstat
include $(USERMOD_DIR)/micropython.mk
# Ours only: MicroPython, mbedTLS and lwIP keep the warnings of their own makefiles.
$(BUILD)/src/%.o: CFLAGS += -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-fno-strict-aliasing
