# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034
# What goes into the guest image beside packages and files.
# Free space left in the root image. The guest writes to a tmpfs overlay, so none is needed.
ROOT_SPARE_KB=1024
# Kernel arguments that any user of the image wants. Each was measured (docs/reference/guest-image.md).
KERNEL_ARGS="console=ttyS0,115200 panic=-1 loglevel=4 tsc=reliable no_timer_check mitigations=off random.trust_cpu=on init_on_alloc=0 cryptomgr.notests"
