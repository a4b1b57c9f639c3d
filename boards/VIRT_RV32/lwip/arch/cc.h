// Types and diagnostics that lwIP asks of a platform.
#ifndef COPEPOD_LWIP_CC_H
#define COPEPOD_LWIP_CC_H

#include <inttypes.h>
#include <stddef.h>

#define BYTE_ORDER LITTLE_ENDIAN
#define LWIP_NO_CTYPE_H 1

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) virt_panic(x, NULL)

void virt_panic(const char *why, const void *where) __attribute__((noreturn));

#endif
