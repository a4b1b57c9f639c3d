include $(VARIANT_DIR)/../linux/mpconfig_linux.mk
