// Settings of MicroPython for this board: the qemu port's own, then what it leaves out.
#ifndef COPEPOD_MPCONFIGVIRT_H
#define COPEPOD_MPCONFIGVIRT_H

#include "mpconfigport.h"

#undef MICROPY_HW_BOARD_NAME
#define MICROPY_HW_BOARD_NAME "Copepod on QEMU virt"

// Python's heap grows as on ESP32: when it is full it takes another area of the C heap, as large as what is there
// already if the largest free block allows, and gives an area back that is empty after a collection.
#define MICROPY_GC_SPLIT_HEAP (1)
#define MICROPY_GC_SPLIT_HEAP_AUTO (1)
#define MP_PLAT_ALLOC_HEAP(bytes) c_malloc(bytes)
#define MP_PLAT_FREE_HEAP(area) c_free(area)

#define MICROPY_ALLOC_PATH_MAX (128) // on the stack, for each import in an import

// Time, waiting, tasks.
#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "virt_time.c"
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)
#define MICROPY_ENABLE_SCHEDULER (1)
#define MICROPY_KBD_EXCEPTION (1)

// Network and TLS. lwIP runs on the one thread there is: nothing to lock.
#define MICROPY_PY_NETWORK (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "copepod"
#define MICROPY_PY_SOCKET (1)
#define MICROPY_PY_LWIP_ENTER
#define MICROPY_PY_LWIP_REENTER
#define MICROPY_PY_LWIP_EXIT
#define MICROPY_PORT_NETWORK_INTERFACES \
    { MP_ROM_QSTR(MP_QSTR_LAN), MP_ROM_PTR(&virt_network_lan_type) },

// Files, randomness.
#define MICROPY_PY_OS_INCLUDEFILE "virt_os.c"
#define MICROPY_PY_OS_URANDOM (1)
#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (virt_random())
#undef MICROPY_VFS_ROM
#define MICROPY_VFS_ROM (0)

// No compiler for machine code, and no modules that the gateway has no use for.
#undef MICROPY_EMIT_RV32
#define MICROPY_EMIT_RV32 (0)
#undef MICROPY_EMIT_INLINE_RV32
#define MICROPY_EMIT_INLINE_RV32 (0)
#define MICROPY_PY_FRAMEBUF (0)
#define MICROPY_PY_UCTYPES (0)

// The console and the network are looked at whenever a device asks, checked every 64th branch.
#define MICROPY_VM_HOOK_COUNT (64)
#define MICROPY_VM_HOOK_INIT static unsigned vm_hook_divisor = MICROPY_VM_HOOK_COUNT;
#define MICROPY_VM_HOOK_POLL \
    if (--vm_hook_divisor == 0) { \
        vm_hook_divisor = MICROPY_VM_HOOK_COUNT; \
        if (virt_irq_pending()) { \
            virt_poll(); \
        } \
    }
#define MICROPY_VM_HOOK_LOOP MICROPY_VM_HOOK_POLL
#define MICROPY_VM_HOOK_RETURN MICROPY_VM_HOOK_POLL

#define MICROPY_INTERNAL_EVENT_HOOK virt_poll()
#define MICROPY_INTERNAL_WFE(timeout_ms) virt_wait((int32_t)(timeout_ms))

#include "board_sizes.h" // board.toml's, written by host_tools/toolchain/firmware.py
#include "c_heap.h"
#include "virt_machine.h"
extern const struct _mp_obj_type_t virt_network_lan_type;

#endif
