// QEMU's `virt` machine as this firmware uses it: where things are, time, console, entropy, and the one place where the
// processor waits. All of it runs on one thread: interrupts only end a wait (`wfi`), they never run a handler, so no
// driver shares data with one. What came is found by polling in virt_poll().
#ifndef COPEPOD_VIRT_MACHINE_H
#define COPEPOD_VIRT_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_BASE (0x00100000u)
#define RTC_BASE (0x00101000u)
#define CLINT_MTIMECMP (0x02004000u)
#define CLINT_MTIME (0x0200bff8u)
#define MTIME_HZ (10000000u)
#define PLIC_BASE (0x0c000000u)
#define UART_BASE (0x10000000u)
#define UART_IRQ (10)
#define VIRTIO_BASE (0x10001000u)
#define VIRTIO_STRIDE (0x1000u)
#define VIRTIO_SLOTS (8)
#define VIRTIO_IRQ (1)

// Device registers are ordered against each other and against the rings in memory.
#define IO_FENCE() __asm volatile ("fence iorw, iorw" ::: "memory")

static inline uint32_t mmio_read32(uintptr_t addr) {
    uint32_t v = *(volatile uint32_t *)addr;
    IO_FENCE();
    return v;
}

static inline uint16_t mmio_read16(uintptr_t addr) {
    uint16_t v = *(volatile uint16_t *)addr;
    IO_FENCE();
    return v;
}

static inline uint8_t mmio_read8(uintptr_t addr) {
    uint8_t v = *(volatile uint8_t *)addr;
    IO_FENCE();
    return v;
}

static inline void mmio_write32(uintptr_t addr, uint32_t v) {
    IO_FENCE();
    *(volatile uint32_t *)addr = v;
    IO_FENCE();
}

static inline void mmio_write16(uintptr_t addr, uint16_t v) {
    IO_FENCE();
    *(volatile uint16_t *)addr = v;
    IO_FENCE();
}

static inline void mmio_write8(uintptr_t addr, uint8_t v) {
    IO_FENCE();
    *(volatile uint8_t *)addr = v;
    IO_FENCE();
}

// Ticks of 100 ns since power-on.
uint64_t virt_ticks(void);
uint32_t virt_millis(void);
// Nanoseconds since 1970 by the machine's clock.
uint64_t virt_unix_ns(void);

void virt_machine_init(void);
// Lets an interrupt of the PLIC end a wait.
void virt_irq_enable(unsigned irq);
// Handles what has come: console, network, timers. Never waits. Called from MicroPython's event hook, and from the
// interpreter's loop whenever an interrupt is pending.
void virt_poll(void);
// Waits until an interrupt, a timer of the network or `timeout_ms` (negative: no limit).
void virt_wait(int32_t timeout_ms);
// Something was handled that a waiting caller may be waiting for: its next virt_wait() returns at once.
void virt_note(void);
// True when a device wants attention: cheap enough for the interpreter's loop.
static inline bool virt_irq_pending(void) {
    uint32_t mip;
    __asm volatile ("csrr %0, mip" : "=r" (mip));
    return mip & (1u << 11);
}

// Fills `buf` with entropy of the virtio-rng device; false, and nothing to be trusted in buf, when it gives none.
bool virtio_rng_fill(void *buf, size_t len);
bool virtio_rng_init(void);

// One word, from virtio-rng; stops the machine when there is none (sequence numbers and ports must not be guessable).
uint32_t virt_random(void);

// The network: found, started, polled, and lwIP's own timers.
bool virtio_net_init(void);
void virtio_net_poll(void);
// Milliseconds until lwIP's next timer, at most `limit_ms`.
uint32_t virtio_net_next_timer(uint32_t limit_ms);

// The disk, in sectors of 512 bytes. Synchronous; false on any error.
bool virtio_blk_init(void);
uint32_t virtio_blk_sectors(void);
bool virtio_blk_read(uint32_t sector, void *buf, uint32_t sectors);
bool virtio_blk_write(uint32_t sector, const void *buf, uint32_t sectors);
bool virtio_blk_flush(void);

// Ends QEMU with that exit status (0..127).
void virt_power_off(int status) __attribute__((noreturn));
// Prints one line and stops QEMU with a failure.
void virt_panic(const char *why, const void *where) __attribute__((noreturn));

// Gives back what virt.hold() took of the C heap (modvirt.c).
void virt_release_all(void);

#endif
