// What mbedTLS asks of the machine: time, the calendar, entropy. And what a session takes besides on an ESP32.
#include <string.h>
#include <time.h>

#include "py/mphal.h"
#include "shared/timeutils/timeutils.h"

#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"

#include "mbedtls/ssl.h"

#include "c_heap.h"
#include "virt_machine.h"

#define UNIX_2000 (946684800)

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen);
int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen) {
    (void)data;
    *olen = 0;
    if (!virtio_rng_fill(output, len)) {
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    }
    *olen = len;
    return 0;
}

time_t virt_unix_seconds(time_t *timer) {
    time_t now = (time_t)(virt_unix_ns() / 1000000000);
    if (timer != NULL) {
        *timer = now;
    }
    return now;
}

mbedtls_ms_time_t mbedtls_ms_time(void) {
    return (mbedtls_ms_time_t)(virt_ticks() / (MTIME_HZ / 1000));
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *when, struct tm *out) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_2000_to_struct_time(*when < UNIX_2000 ? 0 : (mp_uint_t)(*when - UNIX_2000), &t);
    memset(out, 0, sizeof(*out));
    out->tm_year = t.tm_year - 1900;
    out->tm_mon = t.tm_mon - 1;
    out->tm_mday = t.tm_mday;
    out->tm_hour = t.tm_hour;
    out->tm_min = t.tm_min;
    out->tm_sec = t.tm_sec;
    return out;
}

// ---- memory: context, socket and session take COPEPOD_TLS_MORE bytes more on an ESP32, with another configuration of
// mbedTLS and FreeRTOS's sockets, than here. Each session holds so much besides. The linker puts these two around
// mbedTLS's own (micropython.mk).
struct more {
    struct more *next;
    const mbedtls_ssl_context *session;
    // and the rest of COPEPOD_TLS_MORE bytes
};
static struct more *all_more;

int __real_mbedtls_ssl_setup(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf);
int __wrap_mbedtls_ssl_setup(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf);
int __wrap_mbedtls_ssl_setup(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf) {
    struct more *more = c_malloc(COPEPOD_TLS_MORE);
    if (more == NULL) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    int failed = __real_mbedtls_ssl_setup(ssl, conf);
    if (failed) {
        c_free(more);
        return failed;
    }
    *more = (struct more) { .next = all_more, .session = ssl };
    all_more = more;
    return 0;
}

void __real_mbedtls_ssl_free(mbedtls_ssl_context *ssl);
void __wrap_mbedtls_ssl_free(mbedtls_ssl_context *ssl);
void __wrap_mbedtls_ssl_free(mbedtls_ssl_context *ssl) {
    __real_mbedtls_ssl_free(ssl);
    for (struct more **at = &all_more; *at != NULL; at = &(*at)->next) {
        if ((*at)->session == ssl) {
            struct more *more = *at;
            *at = more->next;
            c_free(more);
            break;
        }
    }
}
