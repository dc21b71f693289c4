/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configuration files: refused with a message that ends, or read and freed. */
#include "fuzz.h"

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[CONFIG_ERROR_LEN] = "";
    struct config cfg;

    if (config_parse("fuzz.conf", (const char *)data, size, &cfg, error) != ST_OK)
        FUZZ_CHECK(memchr(error, 0, sizeof(error)) && error[0]);
    config_free(&cfg);
    return 0;
}
