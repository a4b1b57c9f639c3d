// What the Linux builds have in common: the feature level of stock ESP32 firmware, so that the
// desktop stands for the board, with the meters that a board lacks (mem_total, mem_info, gcstat).

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "ports/unix/variants/mpconfigvariant_common.h"

// The application is bytecode: no native code emitters.
#define MICROPY_EMIT_X64                (0)
#define MICROPY_EMIT_X86                (0)
#define MICROPY_EMIT_RV32               (0)

// As on the ESP32 port.
#undef MICROPY_ERROR_REPORTING
#define MICROPY_ERROR_REPORTING         (MICROPY_ERROR_REPORTING_NORMAL)
#undef MICROPY_FLOAT_IMPL
#define MICROPY_FLOAT_IMPL              (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_PY_CRYPTOLIB_CTR        (0)
#define MICROPY_PY_FRAMEBUF             (0)
#undef MICROPY_PY_WEBSOCKET
#define MICROPY_PY_WEBSOCKET            (0)
#undef MICROPY_VFS_ROM
#define MICROPY_VFS_ROM                 (0)
#undef MICROPY_PY_MACHINE_PULSE
#define MICROPY_PY_MACHINE_PULSE        (0)
