// The Unix port's settings with those changed that its own header does not leave open.
// MP_CONFIGFILE names this header in place of the port's.

#include "ports/unix/mpconfigport.h"

// Each nested import has a buffer of this size on the C stack: PATH_MAX (4096) there makes 40 kB
// of stack resident. sys.executable would need PATH_MAX.
#undef MICROPY_ALLOC_PATH_MAX
#define MICROPY_ALLOC_PATH_MAX          (512)
#undef MICROPY_PY_SYS_EXECUTABLE
#define MICROPY_PY_SYS_EXECUTABLE       (0)
