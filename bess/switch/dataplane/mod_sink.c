/* SPDX-License-Identifier: BSD-3-Clause */
/* Sink: frees every packet. */
#include "module.h"

static void sink_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    (void)ctx;
    (void)m;
    (void)igate;
    batch_free(b);
}

const struct module_class sink_class = {
    .name = "Sink",
    .igates = 1,
    .process = sink_process,
};
