// The C heap: what TLS and TCP/IP allocate, and what Python's heap grows by, as on ESP32. Best fit, the lowest of equals,
// with coalescing over one arena: small blocks fill small holes, and the same run of calls leaves the same holes. Its test runs on the host:
// tests/host/targets/c/c_heap_test.c.
#ifndef COPEPOD_C_HEAP_H
#define COPEPOD_C_HEAP_H

#include <stddef.h>

struct c_heap_info {
    size_t total;    // bytes of the arena
    size_t free;     // free bytes, without the headers of free blocks
    size_t largest;  // the largest block that c_malloc() could give now
    size_t min_free; // the lowest `free` since the start
};

// `arena` is 8-byte aligned; `bytes` is rounded down to 8.
void c_heap_init(void *arena, size_t bytes);
void c_heap_info(struct c_heap_info *info);

// 8-byte aligned; NULL when there is no block large enough.
void *c_malloc(size_t bytes);
void *c_calloc(size_t count, size_t bytes);
// NULL is allowed. A pointer that is not of this heap, or a block whose header was overwritten, ends in
// c_heap_corrupt().
void c_free(void *ptr);

// Given by the machine: never returns.
void c_heap_corrupt(const void *where) __attribute__((noreturn));

#endif
