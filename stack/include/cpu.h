/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CPUs of the machine. */
#ifndef MTCP_CPU_H
#define MTCP_CPU_H

#ifdef __cplusplus
extern "C" {
#endif

/** CPUs that are online, at least 1. */
int GetNumCPUs(void);
/** Pins the calling thread. @return 0, or -1/EINVAL when the process may not run on that CPU. */
int CoreAffinitize(int cpu);

#ifdef __cplusplus
}
#endif

#endif
