// virtio over memory-mapped registers, both layouts: version 2 (virtio 1.x) and version 1 (legacy), QEMU's default.
#ifndef COPEPOD_VIRTIO_MMIO_H
#define COPEPOD_VIRTIO_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include "virtqueue.h"

#define VIRTIO_ID_NET (1)
#define VIRTIO_ID_BLK (2)
#define VIRTIO_ID_RNG (4)

#define VIRTIO_ISR_QUEUE (1)
#define VIRTIO_ISR_CONFIG (2)

// The legacy layout places a queue by page number; a small page keeps the padding between the ring's parts small.
#define VIRTIO_RING_ALIGN (128)
#define VIRTIO_RING(name, size) \
    static uint8_t name##_ring[VQ_RING_BYTES(size, VIRTIO_RING_ALIGN)] __attribute__((aligned(VIRTIO_RING_ALIGN))); \
    static struct vq_note name##_note[size]

struct virtio_dev {
    uintptr_t base; // 0: not there
    bool modern;
    uint8_t irq;    // of the PLIC
};

// Looks for a device in the machine's slots; false if there is none, and dev->base is 0.
bool virtio_find(struct virtio_dev *dev, uint32_t device_id);

// Resets the device and agrees on features: `wanted` & what it offers goes to *agreed. False if the device refuses.
bool virtio_begin(struct virtio_dev *dev, uint32_t wanted, uint32_t *agreed);

// Sets up queue `index` with a ring made by VIRTIO_RING. False if the device has no such queue or wants it smaller.
bool virtio_queue(struct virtio_dev *dev, uint32_t index, struct virtqueue *vq, uint16_t size, void *ring,
    struct vq_note *note);

// From here on the device works.
void virtio_ready(struct virtio_dev *dev);

// Back to the state after power-on; all buffers are the driver's again.
void virtio_reset(struct virtio_dev *dev);

void virtio_notify(struct virtio_dev *dev, uint32_t queue);

// Reads and acknowledges the interrupt: VIRTIO_ISR_ bits.
uint32_t virtio_interrupt(struct virtio_dev *dev);

uint8_t virtio_config8(struct virtio_dev *dev, unsigned offset);
uint16_t virtio_config16(struct virtio_dev *dev, unsigned offset);
uint64_t virtio_config64(struct virtio_dev *dev, unsigned offset);

#endif
