/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values of the configuration file as text: numbers, words, addresses. Pure functions that take the whole
 * text or nothing. Addresses in host order. */
#ifndef CONFIG_CONFIG_VALUE_H
#define CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool config_value_number(const char *text, int64_t least, int64_t most, int64_t *out);
/** Hexadecimal with or without 0x; not zero. */
bool config_value_mask(const char *text, uint64_t *out);
/** Position of text in "a|b|c". */
bool config_value_choice(const char *text, const char *choices, int *out);
bool config_value_ipv4(const char *text, uint32_t *out);
/** ADDRESS/LENGTH with a length of 0..32. */
bool config_value_prefix(const char *text, uint32_t *addr, uint8_t *len);
/** Six pairs of hexadecimal digits with colons; unicast and not zero. */
bool config_value_mac(const char *text, uint8_t mac[6]);
/** False for 0.0.0.0/8, 127.0.0.0/8, multicast, reserved and broadcast. */
bool config_value_is_host(uint32_t addr);
uint32_t config_value_netmask(uint8_t prefix_len);
/** How many single-letter changes lie between two names; used to suggest a key. */
unsigned config_value_distance(const char *a, const char *b);

#endif
