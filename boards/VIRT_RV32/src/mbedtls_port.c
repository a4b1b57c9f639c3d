// What mbedTLS asks of the machine: time, the calendar, entropy.
#include <string.h>
#include <time.h>

#include "py/mphal.h"
#include "shared/timeutils/timeutils.h"

#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"

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
