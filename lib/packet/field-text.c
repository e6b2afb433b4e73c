/* Fields as people write them: ovs-fields(7)'s words, with every number's range and every octet checked. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "packet/field.h"

/* What a parser here works on: a part of the text that field_parse() was given. */
struct word {
    const char *p;
    size_t n, at; /* at: of p in the whole text */
    struct diag *d;
};

#define fail(W, ...) diag_fail((W)->d, (W)->at, (W)->n, __VA_ARGS__)
#define WORD(W) (int)MIN((W)->n, 60), (W)->p

static struct word sub(const struct word *w, size_t from, size_t n)
{
    return (struct word){w->p + from, n, w->at + from, w->d};
}

static bool is(const struct word *w, const char *s) { return strlen(s) == w->n && !memcmp(w->p, s, w->n); }

static bool is_hex(const struct word *w) { return w->n > 2 && w->p[0] == '0' && (w->p[1] == 'x' || w->p[1] == 'X'); }

static int digit(char c)
{
    unsigned char u = c;
    return isdigit(u) ? u - '0' : isxdigit(u) ? tolower(u) - 'a' + 10 : 99;
}

/* All of `w` in the given base. Too large numbers give UINT64_MAX and *over. */
static bool scan(const struct word *w, size_t from, unsigned base, uint64_t *v, bool *over)
{
    *v = 0;
    *over = false;
    for (size_t i = from; i < w->n; i++) {
        unsigned x = digit(w->p[i]);
        if (x >= base)
            return false;
        *over |= *v > (UINT64_MAX - x) / base;
        *v = *over ? UINT64_MAX : *v * base + x;
    }
    return w->n > from;
}

/* Decimal or 0x hexadecimal. A leading zero does not mean octal here. */
static bool parse_number(const struct word *w, uint64_t max, uint64_t *v)
{
    bool over, hex = is_hex(w);
    if (!w->n)
        return fail(w, "a number is missing");
    if (!scan(w, hex ? 2 : 0, hex ? 16 : 10, v, &over))
        return fail(w, "'%.*s' is not a number", WORD(w));
    if (over || *v > max)
        return fail(w, hex ? "%.*s: largest value is %#llx" : "%.*s: largest value is %llu", WORD(w),
                    (unsigned long long)max);
    return true;
}

static bool parse_u64(const struct word *w, uint64_t max, union field_value *v)
{
    uint64_t n;
    if (!parse_number(w, max, &n))
        return false;
    field_value_set_u64(v, n);
    return true;
}

/* Of more than 64 bits: hexadecimal, or a number that fits 64. */
static bool parse_wide(const struct word *w, union field_value *v)
{
    if (!is_hex(w) || w->n <= 2 + 16)
        return parse_u64(w, UINT64_MAX, v);
    uint64_t high, low;
    bool over;
    size_t split = w->n - 16;
    struct word upper = sub(w, 0, split), lower = sub(w, split, 16);
    if (split > 2 + 16)
        return fail(w, "%.*s: at most 32 hexadecimal digits", WORD(w));
    if (!scan(&upper, 2, 16, &high, &over) || !scan(&lower, 0, 16, &low, &over))
        return fail(w, "'%.*s' is not a number", WORD(w));
    v->w[0] = htobe64(high);
    v->w[1] = htobe64(low);
    return true;
}

static bool parse_mac(const struct word *w, union field_value *v)
{
    size_t at = 0;
    *v = (union field_value){0};
    for (int i = 0; i < 6; i++) {
        size_t n = 0;
        while (at + n < w->n && w->p[at + n] != ':')
            n++;
        struct word octet = sub(w, at, n);
        uint64_t x;
        bool over;
        if (at > w->n || (i < 5 && at + n == w->n))
            return fail(w, "'%.*s' is not an Ethernet address: six octets, aa:bb:cc:dd:ee:ff", WORD(w));
        if (n > 2 || !scan(&octet, 0, 16, &x, &over)) {
            if (!n)
                octet = *w;
            return fail(&octet, "'%.*s' is not %s", WORD(&octet),
                        n ? "an octet of two hexadecimal digits" : "an Ethernet address");
        }
        v->b[10 + i] = x;
        at += n + 1;
    }
    if (at <= w->n) {
        struct word rest = sub(w, at - 1, w->n - at + 1);
        return fail(&rest, "text after the sixth octet of an Ethernet address");
    }
    return true;
}

static bool parse_ipv4(const struct word *w, uint8_t to[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t n = 0;
        while (at + n < w->n && w->p[at + n] != '.')
            n++;
        struct word octet = sub(w, at, n);
        uint64_t x;
        bool over;
        if (!n || (i < 3 && at + n == w->n))
            return fail(w, "'%.*s' is not an IPv4 address: four numbers, 10.0.0.1", WORD(w));
        if (!scan(&octet, 0, 10, &x, &over))
            return fail(&octet, "'%.*s' is not a number", WORD(&octet));
        if (x > 255)
            return fail(&octet, "%.*s: largest value is 255", WORD(&octet));
        to[i] = x;
        at += n + 1;
    }
    if (at <= w->n) {
        struct word rest = sub(w, at - 1, w->n - at + 1);
        return fail(&rest, "text after the fourth number of an IPv4 address");
    }
    return true;
}

/* RFC 4291, 2.2. */
static bool parse_ipv6(const struct word *w, uint8_t to[16])
{
    uint8_t b[16] = {0};
    int n = 0, gap = -1;
    size_t at = 0;
    if (w->n >= 2 && !memcmp(w->p, "::", 2)) {
        gap = 0;
        at = 2;
    }
    while (at < w->n && n < 16) {
        size_t len = 0;
        while (at + len < w->n && w->p[at + len] != ':')
            len++;
        struct word group = sub(w, at, len);
        uint64_t x;
        bool over;
        if (at + len == w->n && n <= 12 && memchr(group.p, '.', len)) {
            if (!parse_ipv4(&group, b + n))
                return false;
            n += 4;
            at = w->n;
            break;
        }
        if (!len || len > 4 || !scan(&group, 0, 16, &x, &over))
            return fail(len ? &group : w, "'%.*s' is not %s", WORD(len ? &group : w),
                        len ? "a group of up to four hexadecimal digits" : "an IPv6 address");
        b[n++] = x >> 8;
        b[n++] = x;
        at += len;
        if (at == w->n)
            break;
        at++; /* the colon */
        if (at < w->n && w->p[at] == ':' && gap < 0) {
            gap = n;
            at++;
        } else if (at == w->n) {
            return fail(w, "'%.*s' is not an IPv6 address: it ends in ':'", WORD(w));
        }
    }
    if (at < w->n || (gap < 0 && n < 16) || (gap >= 0 && n > 14))
        return fail(w, "'%.*s' is not an IPv6 address: it has too %s groups", WORD(w), n < 16 && gap < 0 ? "few" : "many");
    if (gap >= 0) {
        memmove(b + 16 - (n - gap), b + gap, n - gap);
        memset(b + gap, 0, 16 - n);
    }
    memcpy(to, b, 16);
    return true;
}

/* After the slash of an address: a prefix length or another address. */
static bool parse_prefix(const struct word *w, unsigned bits, uint8_t *mask, bool *was_prefix)
{
    uint64_t n;
    *was_prefix = true;
    for (size_t i = 0; i < w->n; i++)
        *was_prefix &= isdigit((unsigned char)w->p[i]) != 0;
    if (!*was_prefix)
        return true;
    if (!w->n)
        return fail(w, "a prefix length or a mask must follow the '/'");
    if (!parse_number(w, bits, &n))
        return false;
    for (unsigned i = 0; i < bits / 8; i++)
        mask[i] = n >= 8 * (i + 1) ? 0xff : n <= 8 * i ? 0 : 0xff << (8 - (n - 8 * i));
    return true;
}

static bool parse_port(const struct word *w, const struct port_names *names, union field_value *v)
{
    uint64_t n;
    uint32_t port;
    bool over;
    if (is_hex(w) || (scan(w, 0, 10, &n, &over)))
        return parse_u64(w, UINT32_MAX, v);
    if (!names || !names->by_name || !names->by_name(w->p, w->n, &port, names->aux))
        return fail(w, "no port '%.*s'", WORD(w));
    field_value_set_u64(v, port);
    return true;
}

/* In Open vSwitch's encoding, so that a flow made there is the same flow here. FRAG_LATER is never without FRAG_ANY. */
static const struct frag_word {
    const char *name;
    uint8_t value, mask;
} frag_words[] = {{"no", 0, 3}, {"yes", 1, 1}, {"first", 1, 3}, {"later", 2, 2}, {"not_later", 0, 2}};

static const char *const tcp_flag_names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"};

/* "+syn-ack" or "syn|ack". */
static bool parse_tcp_flags(const struct word *w, uint16_t *value, uint16_t *mask)
{
    bool signs = w->n && (w->p[0] == '+' || w->p[0] == '-');
    *value = 0;
    *mask = signs ? 0 : 0xfff;
    for (size_t at = 0; at < w->n;) {
        char sign = w->p[at];
        bool first = at == 0;
        if (signs || !first) {
            if (signs ? sign != '+' && sign != '-' : sign != '|')
                break;
            at++;
        }
        size_t n = 0;
        while (at + n < w->n && !strchr("+-|", w->p[at + n]))
            n++;
        struct word flag = sub(w, at, n);
        unsigned i = 0;
        while (i < ARRAY_SIZE(tcp_flag_names) && !is(&flag, tcp_flag_names[i]))
            i++;
        if (i == ARRAY_SIZE(tcp_flag_names)) {
            if (!n)
                flag = *w;
            return fail(&flag, "no TCP flag '%.*s'; there are fin, syn, rst, psh, ack, urg, ece, cwr, ns", WORD(&flag));
        }
        if (signs && *mask & 1 << i)
            return fail(&flag, "the flag '%.*s' twice", WORD(&flag));
        *mask |= 1 << i;
        *value |= sign == '-' ? 0 : 1 << i;
        at += n;
        if (at < w->n && !strchr(signs ? "+-" : "|", w->p[at])) {
            struct word rest = sub(w, at, w->n - at);
            return fail(&rest, "write flags as +syn-ack (these bits) or syn|ack (exactly these)");
        }
    }
    return true;
}

/* Formats whose words stand for value and mask together. False: it is not such a word, go on. */
static bool parse_word(const struct field *f, const struct word *w, union field_value *value, union field_value *mask,
                       bool *ok)
{
    *ok = true;
    if (f->format == F_FRAG)
        for (size_t i = 0; i < ARRAY_SIZE(frag_words); i++)
            if (is(w, frag_words[i].name)) {
                field_value_set_u64(value, frag_words[i].value);
                field_value_set_u64(mask, frag_words[i].mask);
                return true;
            }
    if (f->format == F_TUN_FLAGS && (is(w, "+oam") || is(w, "oam") || is(w, "-oam"))) {
        field_value_set_u64(value, w->p[0] != '-');
        field_value_set_u64(mask, 1);
        return true;
    }
    if (f->format == F_TCP_FLAGS && w->n && !isdigit((unsigned char)w->p[0])) {
        uint16_t v, m;
        *ok = parse_tcp_flags(w, &v, &m);
        if (*ok) {
            field_value_set_u64(value, v);
            field_value_set_u64(mask, m);
        }
        return true;
    }
    return false;
}

static bool parse_one(const struct field *f, const struct word *w, const struct port_names *names, union field_value *v)
{
    uint64_t max = f->bits < 64 ? (UINT64_C(1) << f->bits) - 1 : UINT64_MAX;
    switch (f->format) {
    case F_MAC:
        return parse_mac(w, v);
    case F_IPV4:
        *v = (union field_value){0};
        return parse_ipv4(w, v->b + 12);
    case F_IPV6:
        return parse_ipv6(w, v->b);
    case F_PORT:
        return parse_port(w, names, v);
    case F_TOS:
        if (!parse_u64(w, max, v))
            return false;
        return !(v->b[15] & 3) || fail(w, "%.*s: the low two bits must be zero (they are nw_ecn)", WORD(w));
    case F_FRAG:
        return isdigit((unsigned char)w->p[0]) ? parse_u64(w, max, v)
                                               : fail(w, "'%.*s' is not one of no, yes, first, later, not_later", WORD(w));
    case F_HEX:
        return f->bits > 64 ? parse_wide(w, v) : parse_u64(w, max, v);
    case F_DEC:
    case F_VLAN:
    case F_TCP_FLAGS:
    case F_TUN_FLAGS:
        return parse_u64(w, max, v);
    }
    abort();
}

static bool parse_mask(const struct field *f, const struct word *w, union field_value *mask)
{
    bool was_prefix = false;
    if (f->format == F_IPV4 || f->format == F_IPV6) {
        unsigned at = f->format == F_IPV4 ? 12 : 0;
        *mask = (union field_value){0};
        if (!parse_prefix(w, f->bits, mask->b + at, &was_prefix))
            return false;
    }
    if (!w->n)
        return fail(w, "a mask must follow the '/'");
    return was_prefix || parse_one(f, w, NULL, mask);
}

bool field_parse(enum field_id id, const char *text, size_t len, const struct port_names *names,
                 union field_value *value, union field_value *mask, struct diag *d)
{
    const struct field *f = &fields[id];
    struct word all = {text, len, 0, d};
    union field_value ones;
    bool ok;
    if (!len)
        return fail(&all, "%s needs a value", f->name);
    field_all_ones(id, &ones);
    *mask = ones;
    if (parse_word(f, &all, value, mask, &ok))
        return ok;
    const char *slash = memchr(text, '/', len);
    size_t n = slash ? (size_t)(slash - text) : len;
    struct word v = sub(&all, 0, n);
    if (!n)
        return fail(&all, "a value is missing before the '/'");
    if (!parse_one(f, &v, names, value))
        return false;
    if (slash) {
        struct word m = sub(&all, n + 1, len - n - 1), whole = sub(&all, n, len - n);
        if (!m.n)
            return fail(&whole, "a mask must follow the '/'");
        if (!parse_mask(f, &m, mask))
            return false;
        if (f->mask == M_NONE && memcmp(mask, &ones, sizeof ones))
            return fail(&whole, "%s cannot be masked", f->name);
    }
    for (int i = 0; i < 2; i++)
        value->w[i] &= mask->w[i];
    if (f->format == F_VLAN && !memcmp(mask, &ones, sizeof ones) && field_value_u64(value) - 1 < 0xfff)
        diag_warn(d, "%s=%.*s is not VLAN %llu: bit 0x1000 says that there is a tag; write 0x%llx", f->name, WORD(&all),
                  (unsigned long long)field_value_u64(value), (unsigned long long)field_value_u64(value) | 0x1000);
    return true;
}

/* --- Printing --- */

static void format_tcp_flags(uint16_t value, uint16_t mask, struct buf *out)
{
    bool exact = mask == 0xfff;
    if (exact ? !value : !mask) {
        buf_puts(out, exact ? "0" : "0/0");
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(tcp_flag_names); i++) {
        bool on = value >> i & 1, first = !(value & ((1 << i) - 1));
        if (exact ? on : mask >> i & 1)
            buf_printf(out, "%s%s", exact ? (first ? "" : "|") : on ? "+" : "-", tcp_flag_names[i]);
    }
}

static int prefix_len(const uint8_t *mask, unsigned bytes)
{
    unsigned n = 0;
    while (n < bytes * 8 && mask[n / 8] & 0x80 >> n % 8)
        n++;
    for (unsigned i = n; i < bytes * 8; i++)
        if (mask[i / 8] & 0x80 >> i % 8)
            return -1;
    return n;
}

static void format_ipv4(const uint8_t b[4], struct buf *out)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i)
            buf_puts(out, ".");
        buf_dec(out, b[i]);
    }
}

static void format_ipv6(const uint8_t b[16], struct buf *out)
{
    char s[INET6_ADDRSTRLEN];
    buf_puts(out, inet_ntop(AF_INET6, b, s, sizeof s));
}

static void format_one(const struct field *f, const union field_value *v, bool hex, const struct port_names *names,
                       struct buf *out)
{
    uint64_t n = field_value_u64(v);
    switch (f->format) {
    case F_MAC:
        buf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", v->b[10], v->b[11], v->b[12], v->b[13], v->b[14], v->b[15]);
        return;
    case F_IPV4:
        format_ipv4(v->b + 12, out);
        return;
    case F_IPV6:
        format_ipv6(v->b, out);
        return;
    case F_PORT:
        if (names && names->to_name) {
            const char *name = names->to_name(n, names->aux);
            if (name) {
                buf_puts(out, name);
                return;
            }
        }
        break;
    case F_TUN_FLAGS:
        buf_puts(out, n ? "+oam" : "-oam");
        return;
    case F_HEX: /* narrow fields with all their digits, like 0x0800 */
        buf_puts(out, "0x");
        if (v->w[0])
            buf_hex(out, be64toh(v->w[0]), 1);
        buf_hex(out, n, v->w[0] ? 16 : f->bits < 32 ? (f->bits + 3) / 4 : 1);
        return;
    case F_FRAG:
        hex = true;
        break;
    case F_DEC:
    case F_VLAN:
    case F_TOS:
    case F_TCP_FLAGS:
        break;
    }
    if (hex) {
        buf_puts(out, "0x");
        buf_hex(out, n, 1);
    } else {
        buf_dec(out, n);
    }
}

void field_format(enum field_id id, const union field_value *value, const union field_value *mask,
                  const struct port_names *names, struct buf *out)
{
    const struct field *f = &fields[id];
    union field_value ones;
    field_all_ones(id, &ones);
    if (!mask)
        mask = &ones;
    bool exact = !memcmp(mask, &ones, sizeof ones);
    if (f->format == F_FRAG)
        for (size_t i = 0; i < ARRAY_SIZE(frag_words); i++)
            if (field_value_u64(value) == frag_words[i].value && field_value_u64(mask) == frag_words[i].mask) {
                buf_puts(out, frag_words[i].name);
                return;
            }
    if (f->format == F_TCP_FLAGS) {
        format_tcp_flags(field_value_u64(value), field_value_u64(mask), out);
        return;
    }
    if (f->format == F_TUN_FLAGS && !exact) {
        buf_puts(out, "0/0");
        return;
    }
    format_one(f, value, !exact, names, out);
    if (exact)
        return;
    buf_puts(out, "/");
    if (f->format == F_IPV4 || f->format == F_IPV6) {
        int n = prefix_len(mask->b + 16 - f->bytes, f->bytes);
        if (n >= 0) {
            buf_dec(out, n);
            return;
        }
    }
    format_one(f, mask, true, NULL, out);
}
