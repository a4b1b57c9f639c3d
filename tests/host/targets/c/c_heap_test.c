// Hosted test of boards/VIRT_RV32/src/c_heap.c: the allocator against a list of what it gave out.
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c_heap.h"

#define CHECK(what) do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            exit(1); \
        } \
} while (0)

#define ARENA (32 * 1024)
#define BLOCKS (64)

static jmp_buf corrupt;
void c_heap_corrupt(const void *where) {
    (void)where;
    longjmp(corrupt, 1);
}

static uint32_t seed = 7;
static uint32_t draw(uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static struct c_heap_info info(void) {
    struct c_heap_info now;
    c_heap_info(&now);
    return now;
}

static void churn(void) {
    struct { uint8_t *at; size_t bytes; uint8_t fill; } held[BLOCKS] = { 0 };
    struct c_heap_info fresh = info(), last = fresh;
    unsigned refused = 0;
    for (unsigned round = 0; round < 100000; round++) {
        unsigned i = draw(BLOCKS);
        if (held[i].at) {
            for (size_t n = 0; n < held[i].bytes; n++) {
                CHECK(held[i].at[n] == held[i].fill);
            }
            c_free(held[i].at);
            held[i].at = NULL;
        } else {
            size_t bytes = 1 + draw(draw(8) ? 300 : 6000);
            struct c_heap_info before = info();
            held[i].at = draw(2) ? c_malloc(bytes) : c_calloc(1, bytes);
            CHECK((held[i].at != NULL) == (bytes <= before.largest));
            if (held[i].at == NULL) {
                refused++;
                continue;
            }
            CHECK(((uintptr_t)held[i].at & 7) == 0);
            held[i].bytes = bytes;
            held[i].fill = (uint8_t)round;
            memset(held[i].at, held[i].fill, bytes);
        }
        struct c_heap_info now = info();
        CHECK(now.largest <= now.free && now.min_free <= now.free && now.min_free <= last.min_free);
        CHECK(now.total == ARENA);
        last = now;
    }
    CHECK(refused > 100); // the heap was full at times, or this proves little
    for (unsigned i = 0; i < BLOCKS; i++) {
        c_free(held[i].at);
    }
    CHECK(info().free == fresh.free && info().largest == fresh.largest); // no hole is left
}

static void repeatable(void) {
    uintptr_t first[20], again[20];
    for (unsigned run = 0; run < 2; run++) {
        uintptr_t *to = run ? again : first;
        for (unsigned i = 0; i < 20; i++) {
            to[i] = (uintptr_t)c_malloc(10 + i * 7);
        }
        for (unsigned i = 0; i < 20; i++) {
            c_free((void *)to[i * 3 % 20]);
        }
    }
    CHECK(memcmp(first, again, sizeof(first)) == 0);
}

static void is_corrupt(void *ptr) {
    if (setjmp(corrupt) == 0) {
        c_free(ptr);
        CHECK(!"noticed");
    }
}

int main(void) {
    uint8_t *arena;
    CHECK(posix_memalign((void **)&arena, 8, ARENA) == 0);
    c_heap_init(arena, ARENA + 5); // rounded down
    CHECK(info().total == ARENA && info().free == ARENA - 8 && info().largest == ARENA - 8);
    CHECK(c_malloc(0) == NULL && c_malloc(ARENA) == NULL && c_malloc(SIZE_MAX) == NULL);
    CHECK(c_calloc(SIZE_MAX / 4 + 2, 4) == NULL); // which wraps to 4 bytes
    c_free(NULL);

    void *all = c_malloc(ARENA - 8);
    CHECK(all != NULL && info().free == 0 && info().largest == 0 && c_malloc(1) == NULL);
    c_free(all);
    CHECK(info().free == ARENA - 8 && info().min_free == 0);

    c_heap_init(arena, ARENA);
    churn();
    repeatable();

    uint8_t *a = c_malloc(40), *b = c_malloc(40), *c = c_malloc(40);
    c_free(b);
    is_corrupt(b);                    // twice
    is_corrupt(arena + ARENA + 8);    // not of this heap
    is_corrupt(a + 4);                // not a block
    memset(a, 0x55, 48);              // past its end, over the next header
    is_corrupt(a);
    (void)c;
    free(arena);
    puts("c_heap: ok");
    return 0;
}
