// Included by extmod/modos.c: os.urandom() from virtio-rng.
#include "py/mperrno.h"
#include "py/runtime.h"

#include "virt_machine.h"

static mp_obj_t mp_os_urandom(mp_obj_t count) {
    vstr_t bytes;
    mp_int_t n = mp_obj_get_int(count);
    if (n < 0) {
        mp_raise_ValueError(NULL);
    }
    vstr_init_len(&bytes, n);
    if (!virtio_rng_fill(bytes.buf, n)) {
        mp_raise_OSError(MP_ENODEV);
    }
    return mp_obj_new_bytes_from_vstr(&bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
