/* SPDX-License-Identifier: BSD-3-Clause */
/* Merge: whatever comes in by any gate leaves by gate 0. */
#include "module.h"

static void merge_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    (void)igate;
    module_send(ctx, m, 0, b);
}

const struct module_class merge_class = {
    .name = "Merge",
    .igates = DP_MAX_GATES,
    .ogates = 1,
    .process = merge_process,
};
