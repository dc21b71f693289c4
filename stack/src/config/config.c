/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reader of the configuration file: `key = value`, one a line, `#` begins a comment at the start of a line or
 * after a blank. The keys are in config_keys.def; what a value looks like is in config_value.c.
 * The text is not trusted: any bytes of any length end in ST_OK or in an error that names the line. */
#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config_value.h"

#define MAX_LINE 1024
#define MAX_FILE (1u << 20)

enum key_id {
#define KEY_CHOICE(key, ...) KEY_##key,
#define KEY_NUMBER(key, ...) KEY_##key,
#define KEY_STRING(key, ...) KEY_##key,
#define KEY_SPECIAL(key, ...) KEY_##key,
#define KEY_REFUSED(key, ...) KEY_##key,
#include "config/config_keys.def"
    NUM_KEYS
};

struct reader {
    const char *file;
    unsigned line;
    struct config *cfg;
    char *error;
    unsigned seen[NUM_KEYS]; /* line of the key, 0 = not given */
};

struct key {
    const char *name, *meaning, *allowed, *by_default, *refused;
    /* What is wrong with the value, or NULL when it was taken; "" = not what is allowed. */
    const char *(*read)(struct reader *r, const char *value);
    bool repeatable;
};

static const char NOT_ALLOWED[] = "";

static enum status fail(struct reader *r, const char *key, const char *complaint, const char *allowed)
{
    char place[32] = "";

    if (r->line)
        snprintf(place, sizeof(place), ":%u", r->line);
    snprintf(r->error, CONFIG_ERROR_LEN, "%.200s%s: key '%.32s'%s%s%s%s", r->file, place, key,
             *complaint ? ": " : "", complaint, allowed ? "; allowed: " : "", allowed ? allowed : "");
    return ST_INVALID;
}

#define KEY_CHOICE(key, type, field, by_default, choices, meaning)     \
    static const char *read_##key(struct reader *r, const char *value) \
    {                                                                  \
        int index;                                                     \
                                                                       \
        if (!config_value_choice(value, choices, &index))              \
            return NOT_ALLOWED;                                        \
        r->cfg->field = (type)index;                                   \
        return NULL;                                                   \
    }
#define KEY_NUMBER(key, type, field, least, most, by_default, default_text, meaning) \
    static const char *read_##key(struct reader *r, const char *value)               \
    {                                                                                \
        int64_t number;                                                              \
                                                                                     \
        if (!config_value_number(value, least, most, &number))                       \
            return NOT_ALLOWED;                                                      \
        r->cfg->field = (type)number;                                                \
        return NULL;                                                                 \
    }
#define KEY_STRING(key, field, allowed, meaning)                       \
    static const char *read_##key(struct reader *r, const char *value) \
    {                                                                  \
        r->cfg->field = strdup(value);                                 \
        return r->cfg->field ? NULL : "out of memory";                 \
    }
#define KEY_SPECIAL(...)
#define KEY_REFUSED(...)
#include "config/config_keys.def"

static const char *read_address(struct reader *r, const char *value)
{
    struct config *c = r->cfg;
    uint32_t host_bits;

    if (!config_value_prefix(value, &c->address, &c->prefix_len))
        return NOT_ALLOWED;
    host_bits = ~config_value_netmask(c->prefix_len);
    if (!config_value_is_host(c->address))
        return "not the address of a host";
    if (c->prefix_len == 0)
        return "the prefix length must be 1 to 32";
    if (c->prefix_len < 31 && ((c->address & host_bits) == 0 || (c->address & host_bits) == host_bits))
        return "the network's own or its broadcast address";
    c->has_address = true;
    return NULL;
}

static const char *read_gateway(struct reader *r, const char *value)
{
    if (!config_value_ipv4(value, &r->cfg->gateway))
        return NOT_ALLOWED;
    return config_value_is_host(r->cfg->gateway) ? NULL : "not the address of a host";
}

/* Cuts the next word off the text; "" when none is left. */
static char *next_word(char **text)
{
    char *word = *text + strspn(*text, " \t");
    char *end = word + strcspn(word, " \t");

    *text = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static const char *read_route(struct reader *r, const char *value)
{
    struct config *c = r->cfg;
    struct config_route route = {0};
    char copy[MAX_LINE], *rest = copy, *prefix, *how, *gateway;

    snprintf(copy, sizeof(copy), "%s", value);
    prefix = next_word(&rest);
    how = next_word(&rest);
    gateway = next_word(&rest);
    if (*next_word(&rest) || !config_value_prefix(prefix, &route.prefix, &route.prefix_len))
        return NOT_ALLOWED;
    if (!strcmp(how, "via") ? !config_value_ipv4(gateway, &route.gateway) : strcmp(how, "dev") || *gateway)
        return NOT_ALLOWED;
    if (!strcmp(how, "via") && !config_value_is_host(route.gateway))
        return "the gateway is not the address of a host";
    if (route.prefix & ~config_value_netmask(route.prefix_len))
        return "the prefix has bits beyond its length";
    if (c->num_routes == CONFIG_MAX_ROUTES)
        return "more than 64 routes";
    c->routes[c->num_routes++] = route;
    return NULL;
}

static const char *read_arp(struct reader *r, const char *value)
{
    struct config *c = r->cfg;
    struct config_arp entry;
    char copy[MAX_LINE], *rest = copy, *addr, *mac;

    snprintf(copy, sizeof(copy), "%s", value);
    addr = next_word(&rest);
    mac = next_word(&rest);
    if (*next_word(&rest) || !config_value_ipv4(addr, &entry.addr) || !config_value_mac(mac, entry.mac))
        return NOT_ALLOWED;
    if (!config_value_is_host(entry.addr))
        return "not the address of a host";
    if (c->num_arp == CONFIG_MAX_ARP)
        return "more than 64 ARP entries";
    c->arp[c->num_arp++] = entry;
    return NULL;
}

static const char *read_mac(struct reader *r, const char *value)
{
    r->cfg->has_mac = config_value_mac(value, r->cfg->mac);
    return r->cfg->has_mac ? NULL : NOT_ALLOWED;
}

static const char *read_core_mask(struct reader *r, const char *value)
{
    return config_value_mask(value, &r->cfg->core_mask) ? NULL : NOT_ALLOWED;
}

#define TEXT_OF(x) #x
#define RANGE_TEXT(least, most) "a whole number from " TEXT_OF(least) " to " TEXT_OF(most)
/* The default of a choice is a number here; default_word() finds its word. */
#define KEY_CHOICE(key, type, field, by_default, choices, meaning) \
    {#key, meaning, choices, NULL, NULL, read_##key, false},
#define KEY_NUMBER(key, type, field, least, most, by_default, default_text, meaning)                        \
    {#key,       meaning, RANGE_TEXT(least, most), default_text ? default_text : TEXT_OF(by_default), NULL, \
     read_##key, false},
#define KEY_STRING(key, field, allowed, meaning) {#key, meaning, allowed, "none", NULL, read_##key, false},
#define KEY_SPECIAL(key, reader, repeatable, allowed, default_text, meaning) \
    {#key, meaning, allowed, default_text, NULL, reader, repeatable},
#define KEY_REFUSED(key, why) {#key, "", "", "", why, NULL, false},
static const struct key keys[NUM_KEYS] = {
#include "config/config_keys.def"
};

/* The word of a choice that is the default, cut out of "a|b|c". */
static const char *default_word(enum key_id id, char *buf, size_t len)
{
    const char *word = keys[id].allowed;
    int index = -1;

    switch ((int)id) {
#define KEY_CHOICE(key, type, field, by_default, choices, meaning) \
    case KEY_##key:                                                \
        index = by_default;                                        \
        break;
#define KEY_NUMBER(...)
#define KEY_STRING(...)
#define KEY_SPECIAL(...)
#define KEY_REFUSED(...)
#include "config/config_keys.def"
    }
    if (index < 0)
        return keys[id].by_default;
    while (index-- > 0)
        word += strcspn(word, "|") + 1;
    snprintf(buf, len, "%.*s", (int)strcspn(word, "|"), word);
    return buf;
}

void config_defaults(struct config *cfg)
{
    memset(cfg, 0, sizeof(*cfg));
#define KEY_CHOICE(key, type, field, by_default, ...) cfg->field = by_default;
#define KEY_NUMBER(key, type, field, least, most, by_default, ...) cfg->field = by_default;
#define KEY_STRING(...)
#define KEY_SPECIAL(...)
#define KEY_REFUSED(...)
#include "config/config_keys.def"
}

void config_free(struct config *cfg)
{
#define KEY_CHOICE(...)
#define KEY_NUMBER(...)
#define KEY_STRING(key, field, ...) \
    free(cfg->field);               \
    cfg->field = NULL;
#define KEY_SPECIAL(...)
#define KEY_REFUSED(...)
#include "config/config_keys.def"
}

static enum status unknown_key(struct reader *r, const char *name)
{
    const char *nearest = NULL;
    unsigned best = 3; /* a suggestion further away helps nobody */
    char complaint[96];

    for (unsigned i = 0; i < NUM_KEYS; i++) {
        unsigned d = keys[i].refused ? best : config_value_distance(name, keys[i].name);

        if (d < best) {
            best = d;
            nearest = keys[i].name;
        }
    }
    if (!nearest)
        return fail(r, name, "unknown; the reference page stack-conf lists all keys", NULL);
    snprintf(complaint, sizeof(complaint), "unknown; did you mean '%s'?", nearest);
    return fail(r, name, complaint, NULL);
}

/* Why a value that looks like one of mTCP's is not taken, or NULL. */
static const char *mtcp_value(enum key_id id, const char *value)
{
    if (id == KEY_io && (!strcmp(value, "psio") || !strcmp(value, "netmap") || !strcmp(value, "onvm")))
        return "this driver of mTCP is not supported";
    if (id == KEY_cc)
        return "CCP's algorithms are not supported";
    if (id != KEY_port)
        return NULL;
    if (!strcmp(value, "all"))
        return "a stack drives one interface: name it";
    if (strpbrk(value, " \t"))
        return "one interface only";
    if (!strncmp(value, "dpdk", 4) && strchr(value, ':'))
        return "ports shared by several processes are not supported";
    return NULL;
}

static enum status take_pair(struct reader *r, const char *name, const char *value)
{
    unsigned id = 0;
    const char *complaint;
    char text[64];

    while (id < NUM_KEYS && strcmp(keys[id].name, name))
        id++;
    if (id == NUM_KEYS)
        return unknown_key(r, name);
    if (keys[id].refused)
        return fail(r, name, keys[id].refused, NULL);
    if (!*value)
        return fail(r, name, "has no value", keys[id].allowed);
    if (r->seen[id] && !keys[id].repeatable) {
        snprintf(text, sizeof(text), "given twice, first on line %u", r->seen[id]);
        return fail(r, name, text, NULL);
    }
    r->seen[id] = r->line;
    complaint = id == KEY_port ? mtcp_value(KEY_port, value) : NULL;
    if (!complaint)
        complaint = keys[id].read(r, value);
    if (!complaint)
        return ST_OK;
    if (complaint == NOT_ALLOWED && mtcp_value((enum key_id)id, value))
        complaint = mtcp_value((enum key_id)id, value);
    if (complaint == NOT_ALLOWED) {
        snprintf(text, sizeof(text), "bad value '%.40s'%s", value, strlen(value) > 40 ? "..." : "");
        complaint = text;
    }
    return fail(r, name, complaint, keys[id].allowed);
}

static char *trim(char *text)
{
    size_t len;

    text += strspn(text, " \t");
    len = strlen(text);
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        text[--len] = '\0';
    return text;
}

static void cut_comment(char *line)
{
    for (char *p = line; (p = strchr(p, '#')); p++) {
        if (p == line || p[-1] == ' ' || p[-1] == '\t') {
            *p = '\0';
            return;
        }
    }
}

static enum status bad_line(struct reader *r, const char *complaint)
{
    snprintf(r->error, CONFIG_ERROR_LEN, "%.200s:%u: %s", r->file, r->line, complaint);
    return ST_INVALID;
}

static enum status take_line(struct reader *r, const char *text, size_t len)
{
    char line[MAX_LINE], *equals;

    if (len && text[len - 1] == '\r')
        len--;
    if (len >= sizeof(line))
        return bad_line(r, "line is longer than 1023 bytes");
    for (size_t i = 0; i < len; i++) {
        line[i] = text[i];
        if (iscntrl((unsigned char)text[i]) && text[i] != '\t')
            return bad_line(r, "line holds a control character; is this a text file?");
    }
    line[len] = '\0';
    cut_comment(line);
    if (!*trim(line))
        return ST_OK;
    equals = strchr(line, '=');
    if (!equals)
        return bad_line(r, "not of the form `key = value`");
    *equals = '\0';
    return take_pair(r, trim(line), trim(equals + 1));
}

/* True when frames to addr leave without a gateway. */
static bool on_link(const struct config *c, uint32_t addr)
{
    if (!((c->address ^ addr) & config_value_netmask(c->prefix_len)))
        return true;
    for (size_t i = 0; i < c->num_routes; i++)
        if (!c->routes[i].gateway &&
            !((c->routes[i].prefix ^ addr) & config_value_netmask(c->routes[i].prefix_len)))
            return true;
    return false;
}

/* What no line alone can tell. */
static enum status check_whole(struct reader *r)
{
    struct config *c = r->cfg;
    static const enum key_id required[] = {KEY_io, KEY_port, KEY_address};

    for (unsigned i = 0; i < sizeof(required) / sizeof(*required); i++) {
        r->line = 0;
        if (!r->seen[required[i]])
            return fail(r, keys[required[i]].name, "missing", keys[required[i]].allowed);
    }
    if (r->seen[KEY_rcvbuf] && !r->seen[KEY_sndbuf])
        c->sndbuf = c->rcvbuf;
    if (r->seen[KEY_sndbuf] && !r->seen[KEY_rcvbuf])
        c->rcvbuf = c->sndbuf;
    r->line = r->seen[KEY_tcp_timeout];
    if (c->tcp_timeout == 0)
        return fail(r, "tcp_timeout", "0 would end every connection at once", "-1 or at least 1");
    r->line = r->seen[KEY_num_cores];
    if (c->core_mask && c->num_cores > (unsigned)__builtin_popcountll(c->core_mask))
        return fail(r, "num_cores", "more than core_mask has CPUs", NULL);
    r->line = r->seen[KEY_gateway];
    if (c->gateway && !on_link(c, c->gateway))
        return fail(r, "gateway", "not on the link of address nor of a `dev` route", NULL);
    r->line = r->seen[KEY_route];
    for (size_t i = 0; i < c->num_routes; i++)
        if (c->routes[i].gateway && !on_link(c, c->routes[i].gateway))
            return fail(r, "route", "a gateway is not on the link of address nor of a `dev` route", NULL);
    return ST_OK;
}

enum status config_parse(const char *name, const char *text, size_t len, struct config *cfg, char *error)
{
    struct reader r = {.file = name, .cfg = cfg, .error = error};
    enum status st = ST_OK;

    error[0] = '\0';
    config_defaults(cfg);
    while (len && st == ST_OK) {
        const char *end = memchr(text, '\n', len);
        size_t line_len = end ? (size_t)(end - text) : len;

        r.line++;
        st = take_line(&r, text, line_len);
        text += line_len + (end != NULL);
        len -= line_len + (end != NULL);
    }
    if (st == ST_OK)
        st = check_whole(&r);
    if (st != ST_OK)
        config_free(cfg);
    return st;
}

enum status config_read(const char *path, struct config *cfg, char *error)
{
    FILE *file = fopen(path, "re");
    char *text = file ? malloc(MAX_FILE) : NULL;
    size_t len = text ? fread(text, 1, MAX_FILE, file) : 0;
    enum status st = ST_INVALID;

    config_defaults(cfg);
    if (!file || (text && ferror(file)))
        snprintf(error, CONFIG_ERROR_LEN, "%.200s: %s", path, strerror(errno));
    else if (!text)
        snprintf(error, CONFIG_ERROR_LEN, "%.200s: out of memory", path);
    else if (len == MAX_FILE)
        snprintf(error, CONFIG_ERROR_LEN, "%.200s: larger than 1 MiB; is this a configuration file?", path);
    else
        st = config_parse(path, text, len, cfg, error);
    free(text);
    if (file)
        fclose(file);
    return st;
}

void config_each_key(void (*each)(void *ctx, const struct config_key_info *key), void *ctx)
{
    char word[32];

    for (unsigned i = 0; i < NUM_KEYS; i++) {
        const struct key *k = &keys[i];
        struct config_key_info info = {k->name, k->meaning, k->allowed,
                                       default_word((enum key_id)i, word, sizeof(word)), k->refused};

        each(ctx, &info);
    }
}

struct printer {
    void (*line)(void *ctx, const char *text);
    void *ctx;
};

static void print_key(void *ctx, const struct config_key_info *k)
{
    const struct printer *p = ctx;
    char text[512];

    if (k->refused)
        return;
    snprintf(text, sizeof(text), "%-16s %s. Allowed: %s. Default: %s", k->name, k->meaning, k->allowed,
             k->by_default);
    p->line(p->ctx, text);
}

void config_print_keys(void (*line)(void *ctx, const char *text), void *ctx)
{
    struct printer p = {line, ctx};

    config_each_key(print_key, &p);
}
