#include "datapath/tunnel/option.h"

/* A value, and where the complaint goes. Parsers return false after diag_fail(). */
struct value {
    const char *text;
    struct diag *d;
};

static bool bad(const struct value *v, const char *wants) { return diag_fail(v->d, 0, strlen(v->text), "%s", wants); }

/* Decimal, or hexadecimal behind 0x; never octal. 0: no number, -1: over `max`. */
static int number(const char *s, uint64_t max, uint64_t *out)
{
    unsigned base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    const char *digits = base == 16 ? s + 2 : s;
    bool over = false;
    uint64_t n = 0;
    if (!*digits)
        return 0;
    for (const char *p = digits; *p; p++) {
        unsigned c = (unsigned char)*p;
        unsigned digit = c - '0' < 10 ? c - '0' : base == 16 && (c | 0x20) - 'a' < 6 ? (c | 0x20) - 'a' + 10 : base;
        if (digit >= base)
            return 0;
        over = over || n > (max - digit) / base;
        n = n * base + digit;
    }
    *out = n;
    return over ? -1 : 1;
}

static bool boolean(const struct value *v, bool *out)
{
    *out = !strcmp(v->text, "true");
    return *out || !strcmp(v->text, "false") || bad(v, "wants true or false");
}

static bool address(const struct value *v, be32 *out)
{
    struct in_addr a;
    struct in6_addr a6;
    if (!strcmp(v->text, "flow"))
        return bad(v, "addresses from the flow table (tun_src, tun_dst) are not supported yet; write an IPv4 address");
    if (inet_pton(AF_INET6, v->text, &a6) == 1)
        return bad(v, "tunnels over IPv6 are not supported yet; write an IPv4 address");
    if (inet_pton(AF_INET, v->text, &a) != 1)
        return bad(v, "wants an IPv4 address as 192.0.2.1");
    /* 0/8, loopback, multicast, reserved and broadcast addresses cannot be an end of a tunnel. */
    uint32_t h = ntohl(a.s_addr);
    if (h >> 24 == 0 || h >> 24 == 127 || h >> 28 >= 14)
        return bad(v, "wants a unicast address");
    *out = a.s_addr;
    return true;
}

static bool key(const struct value *v, bool *flow, uint32_t *out)
{
    uint64_t n = 0;
    int is = number(v->text, UINT32_MAX, &n);
    *flow = !strcmp(v->text, "flow");
    if (!*flow && is == 0)
        return bad(v, "wants a number from 0 to 0xffffffff, or flow");
    if (!*flow && is < 0)
        return bad(v, "GRE keys have 32 bits: wants a number from 0 to 0xffffffff, or flow");
    *out = (uint32_t)n;
    return true;
}

/* One function per option type: TT_<type>. */
#define TYPE(NAME) static bool TT_##NAME(const struct value *v, struct tunnel_config *c)

TYPE(REMOTE) { return address(v, &c->remote); }
TYPE(LOCAL) { return address(v, &c->local); }
TYPE(IN_KEY) { return key(v, &c->in_key_flow, &c->in_key); }
TYPE(OUT_KEY) { return key(v, &c->out_key_flow, &c->out_key); }
TYPE(KEY) { return TT_IN_KEY(v, c) && TT_OUT_KEY(v, c); }
TYPE(DF) { return boolean(v, &c->df); }
TYPE(CSUM) { return boolean(v, &c->csum); }
TYPE(GSO) { return boolean(v, &c->gso); }

TYPE(TTL)
{
    uint64_t n = 0;
    c->ttl_inherit = !strcmp(v->text, "inherit");
    if (!c->ttl_inherit && (number(v->text, 255, &n) != 1 || n == 0))
        return bad(v, "wants a number from 1 to 255, or inherit");
    c->ttl = (uint8_t)n;
    return true;
}

TYPE(TOS)
{
    uint64_t n = 0;
    c->tos_inherit = !strcmp(v->text, "inherit");
    if (!c->tos_inherit && number(v->text, 255, &n) != 1)
        return bad(v, "wants a number from 0 to 252, or inherit");
    if (n & 3)
        return bad(v, "the two ECN bits follow the inner packet: wants a multiple of 4 up to 252, or inherit");
    c->tos = (uint8_t)n;
    return true;
}

TYPE(PTYPE)
{
    (void)c;
    if (!strcmp(v->text, "legacy_l2"))
        return true;
    if (!strcmp(v->text, "legacy_l3") || !strcmp(v->text, "ptap"))
        return bad(v, "not supported yet; write legacy_l2 (Ethernet in GRE)");
    return bad(v, "wants legacy_l2");
}

TYPE(MARK)
{
    uint64_t n;
    (void)c;
    if (number(v->text, UINT32_MAX, &n) != 1)
        return bad(v, "wants a number of 32 bits");
    return n == 0 || bad(v, "marks other than 0 are not supported yet");
}

static bool (*const parsers[N_TUNNEL_OPTIONS])(const struct value *, struct tunnel_config *) = {
#define OPTION(id, name, type, ...) TT_##type,
#include "datapath/tunnel/option.def"
#undef OPTION
};

#define OPTION(id, name, type, ...)                          \
    static bool check_##id(const char *text, struct diag *d) \
    {                                                        \
        struct tunnel_config c = {0};                        \
        return TT_##type(&(struct value){text, d}, &c);      \
    }
#include "datapath/tunnel/option.def"
#undef OPTION

const struct option_row tunnel_options[N_TUNNEL_OPTIONS] = {
#define OPTION(id, name, type, fallback, kinds, doc) {name, fallback, check_##id, doc},
#include "datapath/tunnel/option.def"
#undef OPTION
};

bool tunnel_config_parse(const struct dp_port_config *config, struct tunnel_config *c, int *bad_option, struct diag *d)
{
    memset(c, 0, sizeof *c);
    if (!options_check(tunnel_options, N_TUNNEL_OPTIONS, config, bad_option, d))
        return false;
    for (int i = 0; i < N_TUNNEL_OPTIONS; i++) {
        struct value v = {option_get(tunnel_options, N_TUNNEL_OPTIONS, config, tunnel_options[i].name), d};
        if (v.text && !parsers[i](&v, c))
            return false;
    }
    return c->remote ||
           diag_fail(d, 0, 0, "type %s needs remote_ip=ADDRESS, the other end of the tunnel", config->type);
}

void tunnel_key_format(bool flow, uint32_t key_, struct buf *out)
{
    if (flow)
        buf_puts(out, "flow");
    else
        buf_printf(out, key_ ? "%#x" : "0 (or none)", key_);
}

void tunnel_config_format_identity(const struct tunnel_config *c, struct buf *out)
{
    char a[INET_ADDRSTRLEN];
    buf_printf(out, "remote_ip=%s", inet_ntop(AF_INET, &c->remote, a, sizeof a));
    buf_printf(out, " local_ip=%s in_key=", c->local ? inet_ntop(AF_INET, &c->local, a, sizeof a) : "any");
    tunnel_key_format(c->in_key_flow, c->in_key, out);
}
