// The C heap: see c_heap.h. Every block has an 8-byte header with its own size and that of the block before it, so that
// neighbours are found without a list; a search visits each block once.
#include "c_heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct block {
    uint32_t size; // header included, a multiple of 8; bit 0 set while in use
    uint32_t prev; // size of the block before, 0 for the first
};

#define HEADER ((uint32_t)sizeof(struct block))
#define USED (1u)

static uint8_t *arena_start, *arena_end;
static size_t free_bytes, min_free_bytes;
static struct block *first_free; // no free block lies below it: where a search starts

static uint32_t size_of(const struct block *b) {
    return b->size & ~USED;
}

static struct block *after(const struct block *b) {
    return (struct block *)((uint8_t *)b + size_of(b));
}

static bool is_end(const struct block *b) {
    return (const uint8_t *)b >= arena_end;
}

static void set_size(struct block *b, uint32_t size, uint32_t flag) {
    b->size = size | flag;
    struct block *next = (struct block *)((uint8_t *)b + size);
    if (!is_end(next)) {
        next->prev = size;
    }
}

void c_heap_init(void *arena, size_t bytes) {
    bytes &= ~(size_t)7;
    arena_start = arena;
    arena_end = arena_start + bytes;
    first_free = (struct block *)arena_start;
    first_free->prev = 0;
    set_size(first_free, (uint32_t)bytes, 0);
    free_bytes = min_free_bytes = bytes - HEADER;
}

void c_heap_info(struct c_heap_info *info) {
    info->total = (size_t)(arena_end - arena_start);
    info->free = free_bytes;
    info->min_free = min_free_bytes;
    info->largest = 0;
    for (struct block *b = first_free; !is_end(b); b = after(b)) {
        if (!(b->size & USED) && b->size - HEADER > info->largest) {
            info->largest = b->size - HEADER;
        }
    }
}

void *c_malloc(size_t bytes) {
    if (bytes == 0 || bytes > (size_t)(arena_end - arena_start)) {
        return NULL;
    }
    uint32_t want = ((uint32_t)bytes + HEADER + 7) & ~7u;
    struct block *b = NULL;
    for (struct block *one = first_free; !is_end(one); one = after(one)) {
        if (!(one->size & USED) && one->size >= want && (b == NULL || one->size < b->size)) {
            b = one;
        }
    }
    if (b == NULL) {
        return NULL;
    }
    uint32_t rest = b->size - want;
    if (rest >= 2 * HEADER) {
        struct block *tail = (struct block *)((uint8_t *)b + want);
        set_size(b, want, USED);
        set_size(tail, rest, 0);
        free_bytes -= want; // the block's header was counted as used already, the tail's is new
    } else {
        free_bytes -= b->size - HEADER;
        b->size |= USED;
    }
    if (b == first_free) {
        while (!is_end(first_free) && (first_free->size & USED)) {
            first_free = after(first_free);
        }
    }
    if (free_bytes < min_free_bytes) {
        min_free_bytes = free_bytes;
    }
    return (uint8_t *)b + HEADER;
}

void *c_calloc(size_t count, size_t bytes) {
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total)) {
        return NULL;
    }
    void *p = c_malloc(total);
    if (p != NULL) {
        memset(p, 0, total);
    }
    return p;
}

void c_free(void *ptr) {
    if (ptr == NULL) {
        return;
    }
    struct block *b = (struct block *)((uint8_t *)ptr - HEADER);
    if ((uint8_t *)b < arena_start || is_end(b) || ((uintptr_t)b & 7) || !(b->size & USED)
        || size_of(b) > (size_t)(arena_end - (uint8_t *)b) || b->prev > (size_t)((uint8_t *)b - arena_start)
        || (!is_end(after(b)) && after(b)->prev != size_of(b))) {
        c_heap_corrupt(ptr);
    }
    uint32_t size = size_of(b);
    free_bytes += size - HEADER;
    struct block *next = after(b);
    if (!is_end(next) && !(next->size & USED)) {
        size += next->size;
        free_bytes += HEADER;
    }
    if (b->prev != 0) {
        struct block *before = (struct block *)((uint8_t *)b - b->prev);
        if (!(before->size & USED)) {
            size += before->size;
            free_bytes += HEADER;
            b = before;
        }
    }
    set_size(b, size, 0);
    if (b < first_free) {
        first_free = b;
    }
}
