// gcstat: how often the garbage collector ran and how long it took, counted around gc_collect().
//
//     import gcstat
//     gcstat.runs()   collections since start, automatic and by gc.collect()
//     gcstat.us()     microseconds spent in them
//
// Neither allocates while its value is a small int. gcstat_heap[] holds the heap's first and last
// address for those who look at the process from outside (host_tools/toolchain/pages.py).

#include "py/gc.h"
#include "py/mphal.h"
#include "py/obj.h"
#include "py/runtime.h"

void __real_gc_collect(void);
void __wrap_gc_collect(void);

void __real_gc_init(void *start, void *end);
void __wrap_gc_init(void *start, void *end);

void *volatile gcstat_heap[2];
static mp_uint_t runs;
static unsigned long long spent_us;

void __wrap_gc_init(void *start, void *end) {
    gcstat_heap[0] = start;
    gcstat_heap[1] = end;
    __real_gc_init(start, end);
}

void __wrap_gc_collect(void) {
    mp_uint_t before = mp_hal_ticks_us();
    __real_gc_collect();
    spent_us += (mp_uint_t)(mp_hal_ticks_us() - before); // ticks wrap
    runs += 1;
}

static mp_obj_t gcstat_runs(void) {
    return mp_obj_new_int_from_uint(runs);
}
static MP_DEFINE_CONST_FUN_OBJ_0(gcstat_runs_obj, gcstat_runs);

static mp_obj_t gcstat_us(void) {
    return mp_obj_new_int_from_uint((mp_uint_t)spent_us);
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
