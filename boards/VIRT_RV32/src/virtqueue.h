// A virtio split virtqueue: the ring a driver shares with its device. It knows nothing of the transport, so that the
// same file runs under the sanitizers on the host (tests/host/targets/c/virtqueue_test.c).
//
// Who owns what: a descriptor belongs to the device from vq_add() until vq_pop() returns its cookie. The driver never
// reads what it has to trust from memory that the device can write: chains and lengths are kept in private arrays.
// Sizes: 8..256 entries, a power of two; the caller gives all memory, nothing is allocated.
#ifndef COPEPOD_VIRTQUEUE_H
#define COPEPOD_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VQ_DESC_F_NEXT (1)
#define VQ_DESC_F_WRITE (2)
#define VQ_AVAIL_F_NO_INTERRUPT (1)
#define VQ_USED_F_NO_NOTIFY (1)

struct vq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

struct vq_used_elem {
    uint32_t id;
    uint32_t len;
};

// One piece of a request. `addr` is a bus address, which on this machine is the pointer.
struct vq_seg {
    uintptr_t addr;
    uint32_t len;
};

// The driver's own note of a descriptor that it has lent out.
struct vq_note {
    void *cookie;      // of the chain that starts here, NULL otherwise
    uint32_t writable; // bytes of the chain that the device may write
    uint16_t next;     // next descriptor of the chain, or of the free list
    uint16_t count;    // descriptors in the chain that starts here
};

struct virtqueue {
    struct vq_desc *desc;        // 16-byte aligned
    volatile uint16_t *avail;    // flags, idx, ring[size]; 2-byte aligned
    volatile uint16_t *used;     // flags, idx, then struct vq_used_elem ring[size]; 4-byte aligned
    struct vq_note *note;
    uint16_t size;
    uint16_t free_head;
    uint16_t free_count;
    uint16_t avail_idx;          // what the device will see once vq_publish() has run
    uint16_t used_idx;           // the next entry of the used ring to read
    bool broken;                 // the device answered nonsense: nothing more is believed
};

// Bytes of the ring for `size` entries with the used part aligned to `align`; the legacy layout wants all in one piece.
#define VQ_AVAIL_OFFSET(size) ((size) * sizeof(struct vq_desc))
#define VQ_USED_OFFSET(size, align) \
    ((VQ_AVAIL_OFFSET(size) + 2 * (2 + (size)) + (align) - 1) & ~((size_t)(align) - 1))
#define VQ_RING_BYTES(size, align) (VQ_USED_OFFSET(size, align) + 4 + (size) * sizeof(struct vq_used_elem))

// `ring` has VQ_RING_BYTES(size, align) bytes, 16-byte aligned; `note` has `size` entries. Clears both.
void vq_init(struct virtqueue *vq, uint16_t size, void *ring, size_t align, struct vq_note *note);

// Queues one request: `out` segments that the device reads, then `in` segments that it writes. `cookie` is not NULL.
// False, and nothing changed, when there is no room, the queue is broken or the request is empty.
bool vq_add(struct virtqueue *vq, const struct vq_seg *segs, unsigned out, unsigned in, void *cookie);

// Shows the device what was added since the last call. True if it wants to be notified.
bool vq_publish(struct virtqueue *vq);

// The next finished request: its cookie, and in *len how much the device wrote, never more than it was given.
// NULL when there is none, or from the moment the device has answered nonsense (vq->broken).
void *vq_pop(struct virtqueue *vq, uint32_t *len);

// Interrupts for finished requests: a hint that the device may ignore.
void vq_interrupts(struct virtqueue *vq, bool on);

#endif
