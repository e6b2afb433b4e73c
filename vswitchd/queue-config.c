#include "vswitchd/queue-config.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/mem.h"

#define RATE_LEAST UINT64_C(1000)
#define RATE_MOST UINT64_C(1000000000000)
#define BURST_MOST UINT64_C(1000000000)

/* --- Numbers with units --- */

/* Digits, perhaps with a fraction, times 1000 or 1024 to the power of the prefix; what is left behind it in *rest. */
static bool scaled(const char *text, bool binary, uint64_t *value, const char **rest)
{
    static const char prefixes[] = "kmgt";
    const char *end = text + strspn(text, "0123456789");
    double v = 0, part = 0.1;
    if (end == text || end - text > 15)
        return false;
    for (const char *p = text; p < end; p++)
        v = v * 10 + (*p - '0');
    if (*end == '.')
        for (end++; isdigit((unsigned char)*end); end++, part /= 10)
            v += part * (*end - '0');
    const char *prefix = *end ? strchr(prefixes, tolower((unsigned char)*end)) : NULL;
    if (prefix) {
        bool two = binary && (end[1] == 'i' || end[1] == 'I');
        for (const char *p = prefixes; p <= prefix; p++)
            v *= two ? 1024 : 1000;
        end += 1 + two;
    }
    if (v > 1e15)
        return false;
    *value = (uint64_t)(v + 0.5);
    *rest = end;
    return true;
}

static bool one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(word, words[i]))
            return true;
    return false;
}

bool parse_rate(const char *text, uint64_t *rate, struct diag *d)
{
    static const char *const units[] = {"", "bit", "bits", "bit/s", "bits/s", "bps", "b/s"};
    const char *rest;
    if (!scaled(text, false, rate, &rest) || !one_of(rest, units, ARRAY_SIZE(units)))
        return diag_fail(d, 0, 0, "'%s' is no rate: write bits a second such as 10M, 1Gbit or 64000", text);
    if (*rate && (*rate < RATE_LEAST || *rate > RATE_MOST))
        return diag_fail(d, 0, 0, "rate '%s' is out of range: from 1kbit to 1Tbit a second", text);
    return true;
}

bool parse_bytes(const char *text, uint64_t *bytes, struct diag *d)
{
    static const char *const units[] = {"", "b", "byte", "bytes"};
    const char *rest;
    if (!scaled(text, true, bytes, &rest) || !one_of(rest, units, ARRAY_SIZE(units)))
        return diag_fail(d, 0, 0, "'%s' is no size: write bytes such as 15000, 15k or 64KiB", text);
    return *bytes <= BURST_MOST || diag_fail(d, 0, 0, "size '%s' is out of range: at most 1G", text);
}

static void format_scaled(uint64_t n, struct buf *out)
{
    static const char prefixes[] = " kMGT";
    unsigned i = 0;
    for (; n && n % 1000 == 0 && i < 4; n /= 1000)
        i++;
    buf_printf(out, "%llu%.*s", (unsigned long long)n, i > 0, prefixes + i);
}

void format_rate(uint64_t rate, struct buf *out) { format_scaled(rate, out); }

/* --- Queues --- */

bool parse_queue_id(const char *text, uint32_t *id, struct diag *d)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || n >= UINT32_MAX)
        return diag_fail(d, 0, 0, "'%s' is no queue's number, from 0 to 4294967294", text);
    *id = (uint32_t)n;
    return true;
}

static bool parse_priority(const char *value, struct dp_queue_config *q, struct diag *d)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    q->priority = (uint32_t)n;
    return (isdigit((unsigned char)*value) && !*end && !errno && n <= UINT32_MAX) ||
           diag_fail(d, 0, 0, "priority '%s' is no number; the lowest one goes first", value);
}

/* One word, of which `len` bytes are the name. */
static bool parse_word(const char *word, size_t len, const char *value, struct dp_queue_config *q, struct diag *d)
{
    static const char *const names[] = {"min-rate", "max-rate", "burst", "priority"};
    size_t i = 0;
    char name[16] = "";
    for (size_t k = 0; k < len && k < sizeof name - 1; k++)
        name[k] = word[k] == '_' ? '-' : (char)tolower((unsigned char)word[k]);
    while (i < ARRAY_SIZE(names) && (len >= sizeof name || strcmp(names[i], name)))
        i++;
    if (i == ARRAY_SIZE(names)) {
        const char *near = nearest_name(word, len, names, ARRAY_SIZE(names));
        return diag_fail(d, 0, 0, near ? "a queue has no '%.*s'; did you mean '%s'?" : "a queue has no '%.*s': it has min-rate, max-rate, burst and priority",
                         (int)len, word, near);
    }
    return i == 0   ? parse_rate(value, &q->min_rate, d)
           : i == 1 ? parse_rate(value, &q->max_rate, d)
           : i == 2 ? parse_bytes(value, &q->burst, d)
                    : parse_priority(value, q, d);
}

bool parse_queue(const char *words, struct dp_queue_config *q, struct diag *d)
{
    for (const char *p = words + strspn(words, " ,"); *p; p += strspn(p, " ,")) {
        size_t len = strcspn(p, " ,"), name = strcspn(p, "=");
        if (name >= len)
            return diag_fail(d, 0, 0, "'%.*s' is no NAME=VALUE such as max-rate=10M", (int)len, p);
        char *value = xasprintf("%.*s", (int)(len - name - 1), p + name + 1);
        bool ok = parse_word(p, name, value, q, d);
        free(value);
        if (!ok)
            return false;
        p += len;
    }
    if (q->max_rate && q->min_rate > q->max_rate)
        return diag_fail(d, 0, 0, "min-rate is more than max-rate");
    return true;
}

void format_queue(const struct dp_queue_config *q, struct buf *out)
{
    const struct {
        const char *name;
        uint64_t n;
    } parts[] = {{"min-rate", q->min_rate}, {"max-rate", q->max_rate}, {"burst", q->burst}};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].n) {
            buf_printf(out, "%s=", parts[i].name);
            format_scaled(parts[i].n, out);
            buf_puts(out, " ");
        }
    buf_printf(out, "priority=%u", q->priority);
}

/* --- Ports --- */

bool shape_of(const struct record *port, struct dp_shape_config *c, struct dp_queue_config queues[DP_MAX_QUEUES], struct diag *d)
{
    const char *rate = config_get(port, "max_rate", "");
    uint64_t guaranteed = 0;
    *c = (struct dp_shape_config){.queues = queues};
    if (rate && !parse_rate(rate, &c->max_rate, d))
        return false;
    for (size_t i = 0; i < port->n_values; i++) {
        const struct config_value *v = &port->values[i];
        if (strcmp(v->column->name, "queues"))
            continue;
        if (c->n_queues == DP_MAX_QUEUES - 1)
            return diag_fail(d, 0, 0, "port %s: at most %d queues, and the default one", port->name, DP_MAX_QUEUES - 1);
        struct dp_queue_config *q = &queues[c->n_queues++];
        *q = (struct dp_queue_config){0};
        if (!parse_queue_id(v->key, &q->id, d) || !parse_queue(v->value, q, d))
            return false;
        guaranteed += q->min_rate;
    }
    if (c->max_rate && guaranteed > c->max_rate)
        return diag_fail(d, 0, 0, "port %s: its queues' min-rates are more than its max-rate together", port->name);
    if (!c->max_rate && guaranteed)
        diag_warn(d, "port %s: a min-rate is a share of the port's max-rate, which is not set: xvs-ctl set port %s max-rate=RATE",
                  port->name, port->name);
    return true;
}

static bool covers(const struct record *a, const struct record *b)
{
    for (size_t i = 0; i < a->n_values; i++) {
        const struct config_value *v = &a->values[i];
        if (strcmp(v->column->name, "queues") && strcmp(v->column->name, "max_rate"))
            continue;
        const char *other = config_get(b, v->column->name, v->key);
        if (!other || strcmp(v->value, other))
            return false;
    }
    return true;
}

bool same_shape(const struct record *a, const struct record *b) { return covers(a, b) && covers(b, a); }
