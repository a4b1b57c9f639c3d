// Hosted test of boards/VIRT_RV32/src/virtqueue.c, under the address and undefined-behaviour sanitizers. A model of a
// device works on the other side of the ring: first an honest one, in any order and over many turns of the 16-bit
// indices, then ones that lie.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtqueue.h"

#define CHECK(what) do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            exit(1); \
        } \
} while (0)

#define SIZE (16)
#define ALIGN (128)

static uint32_t seed = 1;
static uint32_t draw(uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

struct bench {
    struct virtqueue vq;
    struct vq_note note[SIZE];
    uint8_t *ring;
    uint16_t seen;          // the device's place in the avail ring
    uint16_t taken[SIZE];   // heads that the device holds
    unsigned held;
};

static void bench_start(struct bench *b) {
    memset(b, 0, sizeof(*b));
    // exactly as many bytes as promised, so that the sanitizer sees one too many
    CHECK(posix_memalign((void **)&b->ring, ALIGN, VQ_RING_BYTES(SIZE, ALIGN)) == 0);
    memset(b->ring, 0xa5, VQ_RING_BYTES(SIZE, ALIGN));
    vq_init(&b->vq, SIZE, b->ring, ALIGN, b->note);
    CHECK(((uintptr_t)b->vq.desc & 15) == 0 && ((uintptr_t)b->vq.avail & 1) == 0);
    CHECK(((uintptr_t)b->vq.used & (ALIGN - 1)) == 0);
    CHECK((uint8_t *)b->vq.avail == b->ring + SIZE * 16);
}

// The device takes every request that it has been shown, checking that each is well formed.
static unsigned device_take(struct bench *b) {
    unsigned n = 0;
    while (b->seen != b->vq.avail[1]) {
        uint16_t head = b->vq.avail[2 + (b->seen++ & (SIZE - 1))], i = head;
        CHECK(head < SIZE && b->held < SIZE);
        bool writable = false;
        for (unsigned length = 1;; length++) {
            const struct vq_desc *d = &b->vq.desc[i];
            CHECK(length <= SIZE && d->addr != 0);
            CHECK(!(writable && !(d->flags & VQ_DESC_F_WRITE))); // what is read comes first
            writable = d->flags & VQ_DESC_F_WRITE;
            if (!(d->flags & VQ_DESC_F_NEXT)) {
                break;
            }
            i = d->next;
            CHECK(i < SIZE);
        }
        b->taken[b->held++] = head;
        n++;
    }
    return n;
}

static void device_answer(struct bench *b, uint32_t id, uint32_t len) {
    uint16_t idx = b->vq.used[1];
    volatile struct vq_used_elem *e = (volatile struct vq_used_elem *)(b->vq.used + 2) + (idx & (SIZE - 1));
    e->id = id;
    e->len = len;
    b->vq.used[1] = (uint16_t)(idx + 1);
}

// The device gives back any of what it holds.
static void device_finish(struct bench *b, uint32_t len) {
    unsigned which = draw(b->held);
    uint16_t head = b->taken[which];
    b->taken[which] = b->taken[--b->held];
    device_answer(b, head, len);
}

static void honest_device(void) {
    struct bench b;
    static char cookies[SIZE];
    bool out_there[SIZE] = { false };
    uint32_t capacity[SIZE];
    unsigned lent = 0, requests = 0;
    bench_start(&b);
    while (requests < 200000) { // three turns of the 16-bit indices
        switch (draw(4)) {
            case 0: {
                unsigned out = draw(4), in = draw(4), c = draw(SIZE);
                if (out_there[c]) {
                    break;
                }
                struct vq_seg segs[6];
                uint32_t room = 0;
                for (unsigned i = 0; i < out + in; i++) {
                    segs[i] = (struct vq_seg) { (uintptr_t)&cookies[c], 1 + draw(2000) };
                    room += i >= out ? segs[i].len : 0;
                }
                uint16_t before = b.vq.free_count;
                bool added = vq_add(&b.vq, segs, out, in, &cookies[c]);
                CHECK(added == (out + in > 0 && out + in <= before));
                CHECK(b.vq.free_count == before - (added ? out + in : 0));
                if (added) {
                    out_there[c] = true;
                    capacity[c] = room;
                    lent++;
                    requests++;
                }
                break;
            }
            case 1: {
                bool quiet = draw(2), news = b.vq.avail[1] != b.vq.avail_idx;
                b.vq.used[0] = quiet ? VQ_USED_F_NO_NOTIFY : 0;
                CHECK(vq_publish(&b.vq) == (news && !quiet));
                CHECK(!vq_publish(&b.vq));
                break;
            }
            case 2:
                device_take(&b);
                if (b.held) {
                    device_finish(&b, draw(3000));
                }
                break;
            default: {
                uint32_t len = 0;
                char *cookie = vq_pop(&b.vq, &len);
                CHECK(!b.vq.broken);
                if (cookie) {
                    unsigned c = (unsigned)(cookie - cookies);
                    CHECK(c < SIZE && out_there[c] && len <= capacity[c]);
                    out_there[c] = false;
                    lent--;
                }
            }
        }
    }
    vq_publish(&b.vq);
    device_take(&b);
    while (b.held) {
        device_finish(&b, 0);
    }
    uint32_t len;
    while (vq_pop(&b.vq, &len)) {
        lent--;
    }
    CHECK(lent == 0 && b.vq.free_count == SIZE && !b.vq.broken);
    free(b.ring);
}

static void one_request(struct bench *b, unsigned in) {
    static char buffer[64];
    struct vq_seg segs[2] = { { (uintptr_t)buffer, 10 }, { (uintptr_t)buffer + 10, 20 } };
    CHECK(vq_add(&b->vq, segs, 2 - in, in, buffer));
    CHECK(vq_publish(&b->vq));
    CHECK(device_take(b) == 1);
}

static void refuses(struct bench *b) {
    uint32_t len;
    CHECK(vq_pop(&b->vq, &len) == NULL && b->vq.broken);
    struct vq_seg seg = { (uintptr_t)&len, 4 };
    CHECK(!vq_add(&b->vq, &seg, 1, 0, &len) && !vq_publish(&b->vq) && vq_pop(&b->vq, &len) == NULL);
    free(b->ring);
}

static void lying_devices(void) {
    struct bench b;
    uint32_t len;

    bench_start(&b); // an id outside the ring
    one_request(&b, 2);
    device_answer(&b, SIZE, 0);
    refuses(&b);

    bench_start(&b); // a huge id
    one_request(&b, 2);
    device_answer(&b, 0xffffffff, 0);
    refuses(&b);

    bench_start(&b); // an answer to nothing
    device_answer(&b, 3, 0);
    refuses(&b);

    bench_start(&b); // the middle of a chain
    one_request(&b, 2);
    device_answer(&b, b.vq.desc[b.taken[0]].next, 0);
    refuses(&b);

    bench_start(&b); // the same answer twice
    one_request(&b, 2);
    device_answer(&b, b.taken[0], 30);
    device_answer(&b, b.taken[0], 30);
    CHECK(vq_pop(&b.vq, &len) != NULL && len == 30);
    refuses(&b);

    bench_start(&b); // an index that runs ahead of the ring
    one_request(&b, 2);
    b.vq.used[1] = SIZE + 1;
    refuses(&b);

    bench_start(&b); // more bytes than it was given
    one_request(&b, 1);
    device_answer(&b, b.taken[0], 0xfffffff0);
    CHECK(vq_pop(&b.vq, &len) != NULL && len == 20);
    free(b.ring);

    bench_start(&b); // descriptors rewritten behind the driver's back: its own notes count
    one_request(&b, 2);
    memset(b.vq.desc, 0xff, SIZE * sizeof(*b.vq.desc));
    device_answer(&b, b.taken[0], 5);
    CHECK(vq_pop(&b.vq, &len) != NULL && len == 5 && b.vq.free_count == SIZE);
    free(b.ring);
}

static void limits(void) {
    struct bench b;
    static char buffer[4];
    struct vq_seg segs[SIZE + 1];
    for (unsigned i = 0; i <= SIZE; i++) {
        segs[i] = (struct vq_seg) { (uintptr_t)buffer, 4 };
    }
    bench_start(&b);
    CHECK(!vq_add(&b.vq, segs, 1, 0, NULL)); // a cookie is how a request is told from a hole
    CHECK(!vq_add(&b.vq, segs, 0, 0, buffer));
    CHECK(!vq_add(&b.vq, segs, SIZE, 1, buffer));
    CHECK(vq_add(&b.vq, segs, SIZE, 0, buffer) && b.vq.free_count == 0);
    CHECK(!vq_add(&b.vq, segs, 1, 0, buffer));
    CHECK(vq_publish(&b.vq) && device_take(&b) == 1);
    vq_interrupts(&b.vq, false);
    CHECK(b.vq.avail[0] == VQ_AVAIL_F_NO_INTERRUPT);
    vq_interrupts(&b.vq, true);
    CHECK(b.vq.avail[0] == 0);
    free(b.ring);
}

int main(void) {
    honest_device();
    lying_devices();
    limits();
    puts("virtqueue: ok");
    return 0;
}
