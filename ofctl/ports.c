/* Names and numbers of the switch's ports. The switch is asked once, when somebody wants to know. */
#include <stdio.h>
#include "base/mem.h"
#include "ofctl/ofctl.h"

struct ports {
    bool missed;
    struct port_names names;
    size_t n;
    struct ofp_port_desc list[];
};

static int by_number(const void *a_, const void *b_)
{
    const struct ofp_port_desc *a = a_, *b = b_;
    return a->port < b->port ? -1 : a->port > b->port;
}

static struct ports *ports_get(struct conn *c)
{
    if (c->ports)
        return c->ports;
    enum { LEAST = 48 }; /* bytes that a description takes, in 1.0 */
    struct reply r;
    struct rd rd;
    if (c->version == OFP10) {
        struct ofp_features f;
        conn_request(c, OFPMSG_FEATURES_REQUEST, OFPMSG_FEATURES_REPLY, &r);
        features_decode(c->version, reply_rd(&r), &f);
        rd = f.ports;
    } else {
        conn_request(c, OFPMSG_PORT_DESC_REQUEST, OFPMSG_PORT_DESC_REPLY, &r);
        rd = reply_rd(&r);
    }
    size_t most = rd_left(&rd) / LEAST;
    struct ports *p = xcalloc(1, sizeof *p + most * sizeof p->list[0]);
    while (p->n < most && !port_desc_decode(c->version, &rd, &p->list[p->n]))
        p->n++;
    reply_free(&r);
    qsort(p->list, p->n, sizeof p->list[0], by_number);
    c->ports = p;
    return p;
}

static bool by_name(const char *name, size_t len, uint32_t *port, void *c_)
{
    struct ports *p = ports_get(c_);
    for (size_t i = 0; i < p->n; i++)
        if (strlen(p->list[i].name) == len && !memcmp(p->list[i].name, name, len)) {
            *port = p->list[i].port;
            return true;
        }
    p->missed = true;
    return false;
}

static const char *to_name(uint32_t port, void *c_)
{
    const struct ports *p = ports_get(c_);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].port == port && p->list[i].name[0] && port < OFPP_MAX)
            return p->list[i].name;
    return NULL;
}

const struct port_names *ports_by_name(struct conn *c)
{
    static struct port_names names = {.by_name = by_name};
    names.aux = c;
    return c ? &names : NULL;
}

const struct port_names *ports_for_print(struct conn *c)
{
    static struct port_names names = {.to_name = to_name};
    names.aux = c;
    return c && options.names ? &names : NULL;
}

bool ports_have(struct conn *c, uint32_t port)
{
    const struct ports *p = ports_get(c);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].port == port)
            return true;
    return false;
}

bool ports_describe(struct conn *c, uint32_t port, struct ofp_port_desc *d)
{
    const struct ports *p = ports_get(c);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].port == port) {
            *d = p->list[i];
            return true;
        }
    return false;
}

void ports_list(struct conn *c, struct buf *out)
{
    enum { SHOWN = 12 };
    const struct ports *p = ports_get(c);
    for (size_t i = 0; i < MIN(p->n, SHOWN); i++) {
        const char *reserved = ofp_port_reserved_name(p->list[i].port);
        buf_puts(out, i ? ", " : "");
        if (reserved)
            buf_puts(out, reserved);
        else
            buf_printf(out, "%u", p->list[i].port);
        buf_printf(out, " (%s)", p->list[i].name);
    }
    if (p->n > SHOWN)
        buf_printf(out, " and %zu more", p->n - SHOWN);
    if (!p->n)
        buf_puts(out, "none");
}

bool ports_missed(const struct conn *c) { return c && c->ports && c->ports->missed; }

uint32_t ports_parse(struct conn *c, const char *text)
{
    uint32_t port;
    char *end;
    unsigned long n = strtoul(text, &end, 0);
    if (*text >= '0' && *text <= '9' && !*end && n <= UINT32_MAX)
        return n;
    if (ofp_port_reserved_parse(text, strlen(text), &port) || by_name(text, strlen(text), &port, c))
        return port;
    struct buf list = BUF_INIT;
    ports_list(c, &list);
    die("%s: no port '%s'; known: %s", c->target, text, buf_text(&list));
}
