/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configuration of a stack: one list of keys (config_keys.def) makes this struct, the file reader, --help
 * and the reference page. Unknown or bad keys are refused with file, line, key and what is allowed. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define CONFIG_ERROR_LEN 512
#define CONFIG_MAX_ROUTES 64
#define CONFIG_MAX_ARP 64

enum config_io { CONFIG_IO_DPDK, CONFIG_IO_TAP };
enum config_offload { CONFIG_OFFLOAD_AUTO, CONFIG_OFFLOAD_OFF, CONFIG_OFFLOAD_CSUM };
enum config_hugepages { CONFIG_HUGEPAGES_AUTO, CONFIG_HUGEPAGES_ON, CONFIG_HUGEPAGES_OFF };
enum config_idle { CONFIG_IDLE_POLL, CONFIG_IDLE_YIELD, CONFIG_IDLE_SLEEP };
enum config_distribution {
    CONFIG_DISTRIBUTION_AUTO,
    CONFIG_DISTRIBUTION_DIRECT,
    CONFIG_DISTRIBUTION_SHARED,
    CONFIG_DISTRIBUTION_1KB,
    CONFIG_DISTRIBUTION_2KB
};
enum config_rebalance { CONFIG_REBALANCE_OFF, CONFIG_REBALANCE_ON };
enum config_cc { CONFIG_CC_RENO };

struct config_route {
    uint32_t prefix, gateway; /**< host order; gateway 0 = on link */
    uint8_t prefix_len;
};

struct config_arp {
    uint32_t addr; /**< host order */
    uint8_t mac[6];
};

/** Strings are owned by the struct; free with config_free(). Fields of numbers, choices and strings have the
 * name of their key (see config_keys.def), but for `log`, whose field is log_level (enum log_level). Not
 * given: NULL for strings, 0 for num_cores and core_mask, has_* false for addresses. */
struct config {
#define KEY_CHOICE(key, type, field, ...) type field;
#define KEY_NUMBER(key, type, field, ...) type field;
#define KEY_STRING(key, field, ...) char *field;
#define KEY_SPECIAL(...)
#define KEY_REFUSED(...)
#include "config/config_keys.def"
    uint64_t core_mask; /**< 0 = not given */
    bool has_address, has_mac;
    uint32_t address, gateway; /**< host order; gateway 0 = none */
    uint8_t prefix_len;
    uint8_t mac[6];
    struct config_route routes[CONFIG_MAX_ROUTES];
    size_t num_routes;
    struct config_arp arp[CONFIG_MAX_ARP];
    size_t num_arp;
};

/** A key as the reference shows it. */
struct config_key_info {
    const char *name, *meaning, *allowed, *by_default;
    const char *refused; /**< why the key is not taken, else NULL */
};

void config_defaults(struct config *cfg);
/** Reads a file into cfg (defaults first). On failure error holds "FILE:LINE: ..." (CONFIG_ERROR_LEN bytes)
 * and cfg holds nothing to free. */
enum status config_read(const char *path, struct config *cfg, char *error);
/** The same from memory; name stands for the file in messages. */
enum status config_parse(const char *name, const char *text, size_t len, struct config *cfg, char *error);
void config_free(struct config *cfg);
/** Calls back for every key, refused ones last. */
void config_each_key(void (*each)(void *ctx, const struct config_key_info *key), void *ctx);
/** Every key with meaning, allowed values and default, one line each, for --help. */
void config_print_keys(void (*line)(void *ctx, const char *text), void *ctx);

#endif
