# SPDX-License-Identifier: GPL-2.0
#
# What the tests share.  A Makefile that includes this, after lib.mk, has the
# headers found and $(LIBQUIC) to link its programs with.

LIBQUIC_DIR := $(selfdir)/net/quic/lib
LIBQUIC := $(OUTPUT)/libquic.a
LIBQUIC_HDRS := $(wildcard $(LIBQUIC_DIR)/*.h)
LIBQUIC_OBJS := $(patsubst $(LIBQUIC_DIR)/%.c,$(OUTPUT)/libquic/%.o, \
	$(wildcard $(LIBQUIC_DIR)/*.c))

CFLAGS += -Wall -O2 -g $(KHDR_INCLUDES) -I$(LIBQUIC_DIR)
LDLIBS += -lcrypto
EXTRA_CLEAN += $(LIBQUIC) $(OUTPUT)/libquic

$(OUTPUT)/libquic:
	mkdir -p $@

$(LIBQUIC_OBJS): $(OUTPUT)/libquic/%.o: $(LIBQUIC_DIR)/%.c $(LIBQUIC_HDRS) \
	| $(OUTPUT)/libquic
	$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c -o $@ $<

$(LIBQUIC): $(LIBQUIC_OBJS)
	$(RM) $@
	$(AR) rcs $@ $^
