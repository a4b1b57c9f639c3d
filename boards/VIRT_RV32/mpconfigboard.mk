# QEMU's `virt` machine, 32 bits, as a chip with 400 KB of RAM. Built by `make firmware BOARD=VIRT_RV32`
# (host_tools/toolchain/firmware.py gives the paths); see README.md.
QEMU_ARCH = riscv32
QEMU_MACHINE = virt

CFLAGS += -DQEMU_SOC_VIRT -DMICROPY_HW_MCU_NAME='"rv32imac"'
CFLAGS += -DMP_CONFIGFILE='"mpconfigvirt.h"'
# py/gc.c adds to a void pointer where the heap grows; the qemu port makes that warning an error.
$(BUILD)/py/gc.o: CFLAGS += -Wno-pointer-arith
INC += -I$(BOARD_DIR) -I$(BOARD_DIR)/src -I$(BOARD_DIR)/lwip -I$(BOARD_DIR)/mbedtls

LDSCRIPT = $(BOARD_DIR)/virt.ld
# The port's console knows no network and its main() no files: ours take their places.
LDFLAGS += -Wl,--wrap=main -Wl,--wrap=exit -Wl,--wrap=mp_hal_stdin_rx_chr -Wl,--wrap=mp_hal_stdio_poll
LDFLAGS += -nostartfiles -Wl,--print-memory-usage -Wl,--no-warn-rwx-segments

SRC_BOARD_O += shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o
SRC_C += shared/timeutils/timeutils.c

MICROPY_PY_LWIP = 1
MICROPY_PY_SSL = 1
MICROPY_SSL_MBEDTLS = 1
MICROPY_VFS_LFS2 = 1

MPY_CROSS_FLAGS += -march=rv32imc
