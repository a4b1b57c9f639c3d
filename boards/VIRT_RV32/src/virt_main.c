// Start of the firmware: the RAM divided into stack, data, GC heap and C heap, the devices found, then MicroPython as
// on any board: _boot, boot.py, main.py, the REPL, and round again after a soft reset.
#include <string.h>

#include "py/builtin.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "shared/runtime/pyexec.h"
#include "extmod/modnetwork.h"

#include "c_heap.h"
#include "virt_machine.h"

#define GC_HEAP_MIN (16u * 1024)
#define C_HEAP_MIN (COPEPOD_C_HEAP_APART + 16u * 1024)
#define FENCE_BYTES (8u)
#define HEADER_BYTES (8u) // of a block of the C heap
#define STACK_MARGIN (1024) // of the C stack, for what runs after MicroPython's own check; as on ESP32

// Of the linker script.
extern uint8_t _sstack[], _estack[], _heap_start[], _heap_end[], _rom_start[], _ram_start[];
extern uint8_t _settings[], __tls_base[], __tdata_start[], __tdata_size[];

// The processor itself enforces the memory map: code is read-only, RAM is the 400 KB of the linker script, and an
// access to anything beyond ends in an exception. Entries are locked, so they hold for machine mode too.
static void memory_protect(void) {
    uintptr_t rom = (uintptr_t)_rom_start, ram = (uintptr_t)_ram_start, end = (uintptr_t)_heap_end;
    // Top-of-range entries, lowest first: devices and the boot ROM; ROM; RAM; nothing from there on. QEMU keeps them
    // over a reset.
    enum { R = 1, W = 2, X = 4, TOR = 8, LOCK = 128 };
    const uint32_t above = TOR | LOCK, data = above | R | W, code = above | R | X, below = above | R | W | X;
    uint32_t entries = below | code << 8 | data << 16 | above << 24;
    __asm volatile ("csrw pmpaddr0, %0" :: "r" (rom >> 2));
    __asm volatile ("csrw pmpaddr1, %0" :: "r" (ram >> 2));
    __asm volatile ("csrw pmpaddr2, %0" :: "r" (end >> 2));
    __asm volatile ("csrw pmpaddr3, %0" :: "r" (UINT32_MAX));
    __asm volatile ("csrw pmpcfg0, %0" :: "r" (entries));
}

// The last page of the "flash" holds settings of the machine, in words; 0 stands for what the firmware was built with.
// -device loader,addr=0x803ff000,data=GC_HEAP,data-len=4, then the C heap's size, then 1 for a Python heap that does
// not grow.
static const volatile uint32_t *const settings = (const volatile uint32_t *)_settings;
enum { SET_GC_HEAP, SET_C_HEAP, SET_FIXED };
static size_t gc_heap_bytes; // of the first area

// Says how large the two heaps are and makes the C heap: `c` bytes free, of which COPEPOD_C_HEAP_APART lie apart from
// the largest block, because an ESP32's RAM is not in one piece.
static void heaps_init(void) {
    size_t room = (size_t)(_heap_end - _heap_start);
    size_t gc = (settings[SET_GC_HEAP] ? settings[SET_GC_HEAP] : COPEPOD_GC_HEAP) & ~7u;
    size_t c = (settings[SET_C_HEAP] ? settings[SET_C_HEAP] : COPEPOD_C_HEAP) & ~7u;
    size_t arena = c + 3 * HEADER_BYTES + FENCE_BYTES;
    if (gc < GC_HEAP_MIN || c < C_HEAP_MIN || gc > room || arena > room - gc) {
        mp_printf(&mp_plat_print, "heaps of %u and %u B do not fit into %u B\n",
            (unsigned)gc, (unsigned)c, (unsigned)room);
        virt_panic("settings", _settings);
    }
    gc_heap_bytes = gc;
    c_heap_init(_heap_start + gc, arena);
    void *apart = c_malloc(COPEPOD_C_HEAP_APART);
    c_malloc(FENCE_BYTES); // for ever
    c_free(apart);
}

size_t gc_get_max_new_split(void) {
    if (settings[SET_FIXED]) {
        return 0;
    }
    struct c_heap_info info;
    c_heap_info(&info);
    return info.largest;
}

// Runs after a reset and after each soft reset.
static void boot(void) {
    gc_init(_heap_start, _heap_start + gc_heap_bytes);
    mp_init();
    mod_network_init();
    pyexec_frozen_module("_boot.py", false);
    int result = pyexec_file_if_exists("boot.py");
    if (!(result & PYEXEC_FORCED_EXIT) && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
        // A main.py of the owner's comes before the one in the firmware.
        bool own = mp_import_stat("/main.py") == MP_IMPORT_STAT_FILE;
        result = own ? pyexec_file("/main.py") : pyexec_file_if_exists("main.py");
    }
    while (!(result & PYEXEC_FORCED_EXIT)) {
        result = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
    }
    mp_printf(&mp_plat_print, "MPY: soft reboot\n");
    gc_sweep_all(); // closes sockets, so that nothing of lwIP points into the heap that is given up
    mod_network_deinit();
    virt_release_all();
    mp_deinit();
}

// In place of the port's own main() (--wrap in mpconfigboard.mk), which has one heap of fixed size and no files.
int __wrap_main(int argc, char **argv);
int __wrap_main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    memcpy(__tls_base, __tdata_start, (size_t)__tdata_size); // the C library's errno lies in thread-local storage
    __asm volatile ("mv tp, %0" :: "r" (__tls_base));
    memory_protect();
    virt_machine_init();
    mp_stack_set_top(_estack);
    mp_stack_set_limit((mp_uint_t)(_estack - _sstack) - STACK_MARGIN);
    heaps_init();
    virtio_rng_init();
    virtio_blk_init();
    virtio_net_init();
    for (;;) {
        boot();
    }
}
