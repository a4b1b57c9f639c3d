// Module `gcstat`, as the Linux builds have it (boards/modules/gcstat): collections since the start, and microseconds
// in them. Counted around gc_collect(), which the linker wraps.
#include "py/gc.h"
#include "py/obj.h"
#include "py/runtime.h"

#include "virt_machine.h"

#define TICKS_A_US (MTIME_HZ / 1000000)

void __real_gc_collect(void);
void __wrap_gc_collect(void);

static mp_uint_t runs;
static uint64_t spent_ticks;

void __wrap_gc_collect(void) {
    uint64_t before = virt_ticks();
    __real_gc_collect();
    spent_ticks += virt_ticks() - before;
    runs++;
}

static mp_obj_t gcstat_runs(void) {
    return mp_obj_new_int_from_uint(runs);
}
static MP_DEFINE_CONST_FUN_OBJ_0(gcstat_runs_obj, gcstat_runs);

static mp_obj_t gcstat_us(void) {
    return mp_obj_new_int_from_uint((mp_uint_t)(spent_ticks / TICKS_A_US));
}
static MP_DEFINE_CONST_FUN_OBJ_0(gcstat_us_obj, gcstat_us);

static const mp_rom_map_elem_t gcstat_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_gcstat) },
    { MP_ROM_QSTR(MP_QSTR_runs), MP_ROM_PTR(&gcstat_runs_obj) },
    { MP_ROM_QSTR(MP_QSTR_us), MP_ROM_PTR(&gcstat_us_obj) },
};
static MP_DEFINE_CONST_DICT(gcstat_globals, gcstat_globals_table);

const mp_obj_module_t gcstat_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&gcstat_globals,
};
MP_REGISTER_MODULE(MP_QSTR_gcstat, gcstat_module);
