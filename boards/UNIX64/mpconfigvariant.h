#include "../linux/mpconfig_linux.h"
