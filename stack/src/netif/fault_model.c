/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See fault_model.h. */
#include "netif/fault_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_KNOBS "seed, loss, delay_us, jitter_us, reorder, reorder_us, dup"
#define FAULT_MAX_US 60000000u /* a minute: longer is a typing error */

static uint64_t threshold(double probability)
{
    return (uint64_t)(probability * 4294967296.0);
}

void fault_params_defaults(struct fault_params *p)
{
    *p = (struct fault_params){.seed = 1, .reorder_us = 1000};
}

static bool read_probability(const char *text, double *out)
{
    char *end;
    double v = strtod(text, &end);

    if (end == text || *end || !(v >= 0 && v <= 1)) /* NaN fails too */
        return false;
    *out = v;
    return true;
}

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return !errno && !*end && *out <= max;
}

/* The sentence about a bad value, or NULL when name=value was taken. */
static const char *set_knob(struct fault_params *p, const char *name, const char *value)
{
    static const char *const bad_probability = "needs a probability from 0 to 1";
    static const char *const bad_time = "needs microseconds from 0 to 60000000";

    if (!strcmp(name, "seed"))
        return read_number(value, UINT64_MAX, &p->seed) ? NULL : "needs a whole number";
    if (!strcmp(name, "loss"))
        return read_probability(value, &p->loss) ? NULL : bad_probability;
    if (!strcmp(name, "reorder"))
        return read_probability(value, &p->reorder) ? NULL : bad_probability;
    if (!strcmp(name, "dup"))
        return read_probability(value, &p->dup) ? NULL : bad_probability;
    if (!strcmp(name, "delay_us"))
        return read_number(value, FAULT_MAX_US, &p->delay_us) ? NULL : bad_time;
    if (!strcmp(name, "jitter_us"))
        return read_number(value, FAULT_MAX_US, &p->jitter_us) ? NULL : bad_time;
    if (!strcmp(name, "reorder_us"))
        return read_number(value, FAULT_MAX_US, &p->reorder_us) ? NULL : bad_time;
    return "is unknown; allowed: " FAULT_KNOBS;
}

enum status fault_params_parse(const char *text, struct fault_params *out, char *error, size_t error_len)
{
    char item[64];

    fault_params_defaults(out);
    while (*text) {
        size_t len = strcspn(text, ",");
        char *value;
        const char *complaint;

        if (len >= sizeof(item)) {
            snprintf(error, error_len, "fault: '%.40s...' is too long", text);
            return ST_INVALID;
        }
        memcpy(item, text, len);
        item[len] = '\0';
        value = strchr(item, '=');
        if (value)
            *value++ = '\0';
        complaint = set_knob(out, item, value ? value : "");
        if (complaint) {
            snprintf(error, error_len, "fault: '%s' %s", item, complaint);
            return ST_INVALID;
        }
        text += len + (text[len] == ',');
    }
    return ST_OK;
}

void fault_model_init(struct fault_model *m, const struct fault_params *p)
{
    *m = (struct fault_model){
        .params = *p,
        .prng = {p->seed},
        .loss_below = threshold(p->loss),
        .reorder_below = threshold(p->reorder),
        .dup_below = threshold(p->dup),
    };
}

void fault_model_decide(struct fault_model *m, uint64_t now_us, struct fault_verdict *out)
{
    const struct fault_params *p = &m->params;
    bool lost = prng_next(&m->prng) >> 32 < m->loss_below;
    bool reordered = prng_next(&m->prng) >> 32 < m->reorder_below;
    bool doubled = prng_next(&m->prng) >> 32 < m->dup_below;
    uint64_t jitter_us = prng_below(&m->prng, p->jitter_us + 1);
    uint64_t due_us = now_us + p->delay_us + jitter_us;

    *out = (struct fault_verdict){0};
    if (lost)
        return;
    if (reordered) {
        due_us += p->reorder_us;
    } else {
        if (due_us < m->last_due_us)
            due_us = m->last_due_us;
        m->last_due_us = due_us;
    }
    out->reordered = reordered;
    out->copies = doubled ? 2 : 1;
    for (unsigned i = 0; i < out->copies; i++)
        out->due_us[i] = due_us;
}
