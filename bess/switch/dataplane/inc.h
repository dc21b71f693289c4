/* SPDX-License-Identifier: BSD-3-Clause */
/* What QueueInc and PortInc share: a run of receive queues of one port, one task each. */
#ifndef DP_INC_H
#define DP_INC_H

#include "port.h"

struct inc {
    struct port *port;
    uint16_t first_qid;
    uint16_t burst;
};

int inc_init(struct dataplane *dp, struct module *m, int64_t port_id, int64_t burst);
void inc_deinit(struct dataplane *dp, struct module *m);
int inc_command(struct module *m, const char *name, const int64_t *args, unsigned n_args, int64_t *result);
unsigned inc_run(struct run_ctx *ctx, struct module *m, unsigned task);
bool inc_arm(struct module *m, unsigned task, int epoll_fd);
void inc_disarm(struct module *m, unsigned task);
uint32_t inc_generation(const struct module *m);

#endif
