// Time, console, waiting and power of QEMU's `virt` machine: see virt_machine.h.
#include "virt_machine.h"

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"

#include "c_heap.h"

#define PLIC_PRIORITY(irq) (PLIC_BASE + 4 * (irq))
#define PLIC_ENABLE (PLIC_BASE + 0x2000)
#define PLIC_THRESHOLD (PLIC_BASE + 0x200000)
#define PLIC_CLAIM (PLIC_BASE + 0x200004)
#define PLIC_CLAIMS_A_POLL (16)

#define UART_DATA (UART_BASE + 0)
#define UART_IER (UART_BASE + 1)
#define UART_FCR (UART_BASE + 2)
#define UART_LSR (UART_BASE + 5)
#define UART_LSR_DR (0x01)
#define UART_FIFO (16)

#define MIE_TIMER (1u << 7)
#define MIE_EXTERNAL (1u << 11)
#define MSTATUS_MIE (1u << 3)

#define SECONDS_1970_TO_2000 (946684800ULL)
#define TEST_RESET (0x7777u)
#define TEST_PASS (0x5555u)
#define TEST_FAIL (0x3333u) // with the exit status in the upper half
#define NO_NETWORK_TIMER_MS (1000)

// Characters typed and not read yet. A power of two.
#define CONSOLE_BYTES (256)
static uint8_t console[CONSOLE_BYTES];
static uint16_t console_put, console_get;
static bool console_held; // the ring is full: the UART keeps its interrupt to itself until there is room

static bool something_came; // since the last wait
static bool polling;

// ---- time

uint64_t virt_ticks(void) {
    for (;;) { // the high word changes every 429 s: a second round at most
        uint32_t high = mmio_read32(CLINT_MTIME + 4);
        uint32_t low = mmio_read32(CLINT_MTIME);
        if (mmio_read32(CLINT_MTIME + 4) == high) {
            return (uint64_t)high << 32 | low;
        }
    }
}

uint32_t virt_millis(void) {
    return (uint32_t)(virt_ticks() / (MTIME_HZ / 1000));
}

uint64_t virt_unix_ns(void) {
    uint32_t low = mmio_read32(RTC_BASE); // reading the low word latches the high one
    return (uint64_t)mmio_read32(RTC_BASE + 4) << 32 | low;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return virt_millis();
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(virt_ticks() / (MTIME_HZ / 1000000));
}

mp_uint_t mp_hal_ticks_cpu(void) {
    uint32_t cycles;
    __asm volatile ("csrr %0, mcycle" : "=r" (cycles));
    return cycles;
}

uint64_t mp_hal_time_ns(void) {
    return virt_unix_ns() - SECONDS_1970_TO_2000 * 1000000000ULL; // MicroPython's epoch is 2000, as on ESP32
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = virt_ticks() + (uint64_t)us * (MTIME_HZ / 1000000);
    while (virt_ticks() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint32_t start = virt_millis(), gone = 0;
    do {
        mp_event_wait_ms(ms - gone);
        gone = virt_millis() - start;
    } while (gone < ms);
    mp_event_handle_nowait();
}

// ---- console

static void console_drain(void) {
    for (unsigned i = 0; i < UART_FIFO && (mmio_read8(UART_LSR) & UART_LSR_DR); i++) {
        if ((uint16_t)(console_put - console_get) == CONSOLE_BYTES) {
            mmio_write8(UART_IER, 0);
            console_held = true;
            return;
        }
        uint8_t c = mmio_read8(UART_DATA);
        something_came = true;
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            console[console_put++ & (CONSOLE_BYTES - 1)] = c;
        }
    }
}

static int console_take(void) {
    if (console_put == console_get) {
        return -1;
    }
    int c = console[console_get++ & (CONSOLE_BYTES - 1)];
    if (console_held) {
        console_held = false;
        mmio_write8(UART_IER, 1);
    }
    return c;
}

// The port's own versions of these two read the UART directly and never let the network run: the linker puts these in
// their place (--wrap in mpconfigboard.mk).
int __wrap_mp_hal_stdin_rx_chr(void);
int __wrap_mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = console_take();
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags);
uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags) {
    return flags & ((console_put != console_get ? MP_STREAM_POLL_RD : 0) | MP_STREAM_POLL_WR);
}

// ---- waiting

void virt_irq_enable(unsigned irq) {
    mmio_write32(PLIC_PRIORITY(irq), 1);
    mmio_write32(PLIC_ENABLE, mmio_read32(PLIC_ENABLE) | 1u << irq);
}

void virt_machine_init(void) {
    uint32_t none = MSTATUS_MIE, waking = MIE_TIMER | MIE_EXTERNAL;
    // No handler ever runs: `wfi` wakes for what `mie` names all the same.
    __asm volatile ("csrc mstatus, %0" :: "r" (none));
    __asm volatile ("csrw mie, %0" :: "r" (waking));
    mmio_write32(PLIC_THRESHOLD, 0);
    mmio_write8(UART_FCR, 1);
    mmio_write8(UART_IER, 1);
    virt_irq_enable(UART_IRQ);
}

void virt_poll(void) {
    if (polling) {
        return;
    }
    polling = true;
    for (unsigned i = 0; i < PLIC_CLAIMS_A_POLL && virt_irq_pending(); i++) {
        uint32_t irq = mmio_read32(PLIC_CLAIM);
        if (irq == 0) {
            break;
        }
        something_came = true;
        if (irq == UART_IRQ) {
            console_drain();
        } else {
            virtio_net_poll(); // acknowledges its interrupt; disk and entropy are waited for where they are asked
        }
        mmio_write32(PLIC_CLAIM, irq);
    }
    virtio_net_poll();
    polling = false;
}

void virt_note(void) {
    something_came = true;
}

void virt_wait(int32_t timeout_ms) {
    if (something_came) { // between the caller's look and now: look again before sleeping
        something_came = false;
        return;
    }
    uint32_t limit = timeout_ms < 0 ? NO_NETWORK_TIMER_MS : (uint32_t)timeout_ms;
    limit = virtio_net_next_timer(limit);
    if (limit == 0) {
        return;
    }
    uint64_t until = virt_ticks() + (uint64_t)limit * (MTIME_HZ / 1000);
    mmio_write32(CLINT_MTIMECMP + 4, 0xffffffff); // never a moment with a time already past
    mmio_write32(CLINT_MTIMECMP, (uint32_t)until);
    mmio_write32(CLINT_MTIMECMP + 4, (uint32_t)(until >> 32));
    __asm volatile ("wfi" ::: "memory");
    mmio_write32(CLINT_MTIMECMP + 4, 0xffffffff);
}

// ---- power

static void test_device(uint32_t what) __attribute__((noreturn));
static void test_device(uint32_t what) {
    mmio_write32(TEST_BASE, what);
    for (;;) {
        __asm volatile ("wfi");
    }
}

void virt_power_off(int status) {
    test_device(status == 0 ? TEST_PASS : TEST_FAIL | (uint32_t)(status & 0x7f) << 16);
}

// machine.reset() is exit(0) in this port, its exception handler exit(-1): a real reset, or a QEMU that ends with a
// failure.
void __wrap_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status) {
    if (status != 0) {
        virt_power_off(1);
    }
    test_device(TEST_RESET);
}

void virt_panic(const char *why, const void *where) {
    mp_printf(&mp_plat_print, "\nstopped: %s (%p)\n", why, where);
    __wrap_exit(1);
}

void c_heap_corrupt(const void *where) {
    virt_panic("C heap corrupt", where);
}
