# Libraries and modules that no Linux build here has.
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_THREAD = 0
MICROPY_PY_TERMIOS = 0
MICROPY_VFS_FAT = 0
MICROPY_VFS_LFS1 = 0
MICROPY_VFS_LFS2 = 0

# Found through the include path of the variant's folder.
MBEDTLS_CONFIG_FILE = \"../linux/mbedtls_config.h\"
