// Entropy of the virtio-rng device. Synchronous: a request is a few microseconds of the host's time.
#include <string.h>

#include "virt_machine.h"
#include "virtio_mmio.h"

#define RNG_QUEUE (8)
#define RNG_CHUNK (64)
#define RNG_TIMEOUT_MS (1000)

VIRTIO_RING(rng, RNG_QUEUE);
static struct virtio_dev dev;
static struct virtqueue queue;
static uint8_t chunk[RNG_CHUNK]; // the device writes here only, never into a buffer that the caller could take back

bool virtio_rng_init(void) {
    uint32_t agreed;
    if (!virtio_find(&dev, VIRTIO_ID_RNG)) {
        return false;
    }
    if (!virtio_begin(&dev, 0, &agreed) || !virtio_queue(&dev, 0, &queue, RNG_QUEUE, rng_ring, rng_note)) {
        dev.base = 0;
        return false;
    }
    vq_interrupts(&queue, false);
    virtio_ready(&dev);
    return true;
}

bool virtio_rng_fill(void *buf, size_t len) {
    uint8_t *to = buf;
    while (len > 0) { // each round gets a byte at least, or gives up
        struct vq_seg seg = { (uintptr_t)chunk, RNG_CHUNK };
        if (dev.base == 0 || !vq_add(&queue, &seg, 0, 1, chunk)) {
            return false;
        }
        if (vq_publish(&queue)) {
            virtio_notify(&dev, 0);
        }
        uint32_t start = virt_millis(), got = 0;
        while (vq_pop(&queue, &got) == NULL) {
            if (queue.broken || virt_millis() - start > RNG_TIMEOUT_MS) {
                virtio_reset(&dev);
                dev.base = 0;
                return false;
            }
        }
        virtio_interrupt(&dev);
        size_t n = got < len ? got : len;
        if (n == 0) {
            return false;
        }
        memcpy(to, chunk, n);
        memset(chunk, 0, sizeof(chunk));
        to += n;
        len -= n;
    }
    return true;
}

uint32_t virt_random(void) {
    uint32_t v;
    if (!virtio_rng_fill(&v, sizeof(v))) {
        virt_panic("no entropy: QEMU needs -device virtio-rng-device", NULL);
    }
    return v;
}
