// A virtio split virtqueue: see virtqueue.h. No allocation, no loop longer than the ring.
#include "virtqueue.h"

#include <string.h>

// Indices in memory that a device shares. A fence orders plain accesses around them; the ring lies in ordinary memory,
// where `fence rw, rw` is enough (device registers have their own fences in virtio_mmio.c).
#define BARRIER() __atomic_thread_fence(__ATOMIC_SEQ_CST)

enum { FLAGS = 0, IDX = 1, RING = 2 };

static volatile struct vq_used_elem *used_ring(struct virtqueue *vq) {
    return (volatile struct vq_used_elem *)(vq->used + RING);
}

void vq_init(struct virtqueue *vq, uint16_t size, void *ring, size_t align, struct vq_note *note) {
    uint8_t *base = ring;
    memset(base, 0, VQ_RING_BYTES(size, align));
    memset(note, 0, size * sizeof(*note));
    memset(vq, 0, sizeof(*vq));
    vq->desc = (struct vq_desc *)base;
    vq->avail = (volatile uint16_t *)(base + VQ_AVAIL_OFFSET(size));
    vq->used = (volatile uint16_t *)(base + VQ_USED_OFFSET(size, align));
    vq->note = note;
    vq->size = size;
    vq->free_count = size;
    for (uint16_t i = 0; i < size; i++) {
        note[i].next = (uint16_t)(i + 1); // the last one's is never followed: free_count says where the list ends
    }
}

bool vq_add(struct virtqueue *vq, const struct vq_seg *segs, unsigned out, unsigned in, void *cookie) {
    unsigned count = out + in;
    if (vq->broken || cookie == NULL || count == 0 || count > vq->free_count) {
        return false;
    }
    uint16_t head = vq->free_head, i = head;
    uint32_t writable = 0;
    for (unsigned n = 0; n < count; n++) {
        struct vq_desc *d = &vq->desc[i];
        uint16_t next = vq->note[i].next;
        d->addr = segs[n].addr;
        d->len = segs[n].len;
        d->flags = (uint16_t)((n >= out ? VQ_DESC_F_WRITE : 0) | (n + 1 < count ? VQ_DESC_F_NEXT : 0));
        d->next = n + 1 < count ? next : 0;
        writable += n >= out ? segs[n].len : 0;
        i = next;
    }
    vq->note[head].cookie = cookie;
    vq->note[head].writable = writable;
    vq->note[head].count = (uint16_t)count;
    vq->free_head = i;
    vq->free_count = (uint16_t)(vq->free_count - count);
    vq->avail[RING + (vq->avail_idx & (vq->size - 1))] = head;
    vq->avail_idx++;
    return true;
}

bool vq_publish(struct virtqueue *vq) {
    if (vq->broken || vq->avail[IDX] == vq->avail_idx) {
        return false;
    }
    BARRIER(); // descriptors and ring entries before the index that shows them
    vq->avail[IDX] = vq->avail_idx;
    BARRIER(); // the index before the device's wish is read, or both sides could wait for the other
    return !(vq->used[FLAGS] & VQ_USED_F_NO_NOTIFY);
}

void *vq_pop(struct virtqueue *vq, uint32_t *len) {
    uint16_t waiting = (uint16_t)(vq->used[IDX] - vq->used_idx);
    if (vq->broken || waiting == 0) {
        return NULL;
    }
    BARRIER(); // the index before the entries that it shows
    volatile struct vq_used_elem *e = &used_ring(vq)[vq->used_idx & (vq->size - 1)];
    uint32_t id = e->id, written = e->len;
    // More answers than requests, an id outside the ring, or one that is not lent out: the device can't be believed.
    if (waiting > vq->size || id >= vq->size || vq->note[id].cookie == NULL) {
        vq->broken = true;
        return NULL;
    }
    struct vq_note *head = &vq->note[id];
    void *cookie = head->cookie;
    *len = written < head->writable ? written : head->writable;
    uint16_t last = (uint16_t)id;
    for (uint16_t n = 1; n < head->count; n++) {
        last = vq->note[last].next;
    }
    vq->note[last].next = vq->free_head;
    vq->free_head = (uint16_t)id;
    vq->free_count = (uint16_t)(vq->free_count + head->count);
    head->cookie = NULL;
    vq->used_idx++;
    return cookie;
}

void vq_interrupts(struct virtqueue *vq, bool on) {
    vq->avail[FLAGS] = on ? 0 : VQ_AVAIL_F_NO_INTERRUPT;
}
