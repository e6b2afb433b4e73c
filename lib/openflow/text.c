#include "openflow/text.h"
#include <ctype.h>
#include <strings.h>
#include "openflow/ofp.h"

static bool is_separator(char c) { return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool text_fail(const struct text *t, struct word w, const char *format, ...)
{
    if (t->d && !t->d->failed) {
        struct buf message = BUF_INIT;
        va_list args;
        va_start(args, format);
        buf_vprintf(&message, format, args);
        va_end(args);
        diag_fail(t->d, w.at, w.len, "%s", buf_text(&message));
        buf_free(&message);
    }
    return false;
}

/* The end of a value that starts at `at`: the first separator (or, in a list, closing parenthesis) outside parentheses
 * and quotes. With `paren`, a parenthesis stands open already and the end is the one that closes it. */
static bool find_end(const struct text *t, size_t at, size_t end, bool paren, size_t *found)
{
    unsigned depth = paren;
    size_t open = paren ? at - 1 : at;
    for (size_t i = at; i < end; i++) {
        char c = t->s[i];
        if (c == '"') {
            const char *close = memchr(t->s + i + 1, '"', end - i - 1);
            if (!close)
                return text_fail(t, (struct word){i, end - i}, "the quote is not closed");
            i = (size_t)(close - t->s);
        } else if (c == '(') {
            if (!depth++)
                open = i;
        } else if (c == ')') {
            if (!depth)
                return text_fail(t, (struct word){i, 1}, "')' closes nothing");
            if (!--depth && paren) {
                *found = i;
                return true;
            }
        } else if (!depth && is_separator(c)) {
            *found = i;
            return true;
        }
    }
    if (depth)
        return text_fail(t, (struct word){open, 1}, "'(' is not closed");
    *found = end;
    return true;
}

bool text_next_item(const struct text *t, size_t *at, size_t end, struct item *item)
{
    size_t i = *at;
    while (i < end && is_separator(t->s[i]))
        i++;
    *at = i;
    if (i == end)
        return false;
    *item = (struct item){.key = {i, 0}, .value = {i, 0}};
    bool quoted = false;
    for (; i < end; i++) {
        char c = t->s[i];
        quoted ^= c == '"';
        if (!quoted && (is_separator(c) || c == ':' || c == '=' || c == '('))
            break;
        if (!quoted && c == ')')
            return text_fail(t, (struct word){i, 1}, "')' closes nothing");
    }
    if (quoted)
        return text_fail(t, (struct word){item->key.at, i - item->key.at}, "the quote is not closed");
    item->key.len = i - item->key.at;
    if (i < end && !is_separator(t->s[i])) {
        size_t stop = i;
        item->delim = t->s[i++];
        if (!find_end(t, i, end, item->delim == '(', &stop))
            return false;
        item->value = (struct word){i, stop - i};
        i = stop + (item->delim == '(');
        if (item->delim == '(' && end - i > 2 && t->s[i] == '-' && t->s[i + 1] == '>') /* check_pkt_larger(9)->reg0[0] */
            while (i < end && !is_separator(t->s[i]))
                i++;
        if (item->delim == '(' && i < end && !is_separator(t->s[i]))
            return text_fail(t, (struct word){i, 1}, "a comma or a blank must follow ')'");
    }
    item->all = (struct word){item->key.at, i - item->key.at};
    *at = i;
    if (!item->key.len)
        return text_fail(t, (struct word){item->key.at, 1}, "a word is missing before '%c'", t->s[item->key.at]);
    return true;
}

bool text_is_nocase(const struct text *t, struct word w, const char *word)
{
    return w.len == strlen(word) && !strncasecmp(t->s + w.at, word, w.len);
}

struct word text_trim(const struct text *t, struct word w)
{
    for (; w.len && is_separator(t->s[w.at]); w.at++)
        w.len--;
    while (w.len && is_separator(t->s[w.at + w.len - 1]))
        w.len--;
    return w;
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

/* 0: not a number; 1: a number; -1: more than 64 bits. */
static int scan_number(const char *s, size_t n, uint64_t *v)
{
    bool hex = n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'), big = false;
    unsigned base = hex ? 16 : 10;
    *v = 0;
    if (!n)
        return 0;
    for (size_t i = hex ? 2 : 0; i < n; i++) {
        int x = digit(s[i]);
        if (x >= (int)base)
            return 0;
        big |= __builtin_mul_overflow(*v, base, v) || __builtin_add_overflow(*v, (unsigned)x, v);
    }
    return big ? -1 : 1;
}

bool text_number(const struct text *t, struct word w, const char *what, uint64_t max, uint64_t *v)
{
    int r = scan_number(t->s + w.at, w.len, v);
    if (!w.len)
        return text_fail(t, (struct word){w.at ? w.at - 1 : 0, 1}, "%s is missing", what);
    if (!r)
        return text_fail(t, w, "%s '%.*s' is not a number", what, (int)w.len, t->s + w.at);
    if (r < 0 || *v > max)
        return text_fail(t, w,
                         w.len > 2 && (t->s[w.at + 1] | 0x20) == 'x' ? "%s %.*s is out of range: at most %#llx"
                                                                     : "%s %.*s is out of range: at most %llu",
                         what, (int)w.len, t->s + w.at, (unsigned long long)max);
    return true;
}

static bool is_reserved16(uint64_t port) { return port >= 0xfff8 && port <= 0xffff; }

bool text_port(const struct text *t, struct word w, uint32_t *port)
{
    uint64_t v;
    struct word bare = w;
    if (!w.len)
        return text_fail(t, (struct word){w.at ? w.at - 1 : 0, 1}, "a port is missing");
    if (w.len >= 2 && t->s[w.at] == '"' && t->s[w.at + w.len - 1] == '"')
        bare = (struct word){w.at + 1, w.len - 2};
    const char *name = t->s + bare.at;
    int r = scan_number(name, bare.len, &v);
    if (r && bare.len == w.len) {
        /* OpenFlow 1.0's reserved ports have 16 bits, and old scripts write LOCAL as 65534. In hex it is that very
         * port. */
        if (r > 0 && is_reserved16(v) && name[1] != 'x' && name[1] != 'X') {
            v |= 0xffff0000;
            if (t->d)
                diag_warn(t->d, "port %u is OpenFlow 1.0's number for %s: write %s", (unsigned)(v & 0xffff),
                          ofp_port_reserved_name((uint32_t)v), ofp_port_reserved_name((uint32_t)v));
        }
        if (r < 0 || v > UINT32_MAX || (v > OFPP_MAX && v < OFPP_IN_PORT))
            return text_fail(t, w, "there can be no port %.*s: numbers go to 0xffffff00", (int)w.len, t->s + w.at);
        *port = (uint32_t)v;
        return true;
    }
    if (ofp_port_reserved_parse(name, bare.len, port))
        return true;
    if (t->names && t->names->by_name && t->names->by_name(name, bare.len, port, t->names->aux))
        return true;
    return text_fail(t, w, "there is no port '%.*s'", (int)bare.len, name);
}

void text_put_port(uint32_t port, const struct port_names *names, struct buf *out)
{
    const char *name = ofp_port_reserved_name(port);
    if (!name && names && names->to_name)
        name = names->to_name(port, names->aux);
    if (!name) {
        if (is_reserved16(port))
            buf_printf(out, "%#x", port);
        else
            buf_dec(out, port);
        return;
    }
    bool plain = isalpha((unsigned char)*name);
    for (const char *p = name; *p; p++)
        plain &= isalnum((unsigned char)*p) || *p == '_';
    buf_printf(out, plain ? "%s" : "\"%s\"", name);
}

bool text_field_value(const struct text *t, enum field_id f, struct word w, bool may_mask, union field_value *value,
                      union field_value *mask)
{
    if (!w.len)
        return text_fail(t, (struct word){w.at ? w.at - 1 : 0, 1}, "a value for %s is missing", fields[f].name);
    if (!may_mask && memchr(t->s + w.at, '/', w.len))
        return text_fail(t, w, "no mask can stand here");
    if (fields[f].format == F_PORT) {
        uint32_t port;
        field_all_ones(f, mask);
        if (!text_port(t, w, &port))
            return false;
        field_value_set_u64(value, port);
        return true;
    }
    struct diag d = DIAG_INIT;
    bool ok = field_parse(f, t->s + w.at, w.len, t->names, value, mask, &d);
    if (!ok)
        text_fail(t, (struct word){w.at + d.at, d.len}, "%s", buf_text(&d.message));
    else if (t->d && f != FIELD_VLAN_VID) /* a VID without its bit is refused by those who call */
        buf_put(&t->d->warnings, d.warnings.data, d.warnings.len);
    diag_free(&d);
    return ok;
}

void text_put_field_value(enum field_id f, const union field_value *value, const union field_value *mask,
                          const struct port_names *names, struct buf *out)
{
    union field_value ones;
    field_all_ones(f, &ones);
    if (fields[f].format == F_PORT) {
        text_put_port((uint32_t)field_value_u64(value), names, out);
    } else if (fields[f].format == F_HEX && fields[f].bits >= 32 && fields[f].bits <= 64) { /* zero is 0, as Open vSwitch prints it */
        buf_printf(out, "%#llx", (unsigned long long)field_value_u64(value));
        if (mask && memcmp(mask, &ones, sizeof ones))
            buf_printf(out, "/%#llx", (unsigned long long)field_value_u64(mask));
    } else
        field_format(f, value, mask, names, out);
}

bool text_in_names(const struct text *t, struct word w, const char *names)
{
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, " ");
        if (n == w.len && !memcmp(p, t->s + w.at, n))
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}
