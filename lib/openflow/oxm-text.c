/* OXM and NXM TLVs as text. */
#include <ctype.h>
#include <stdlib.h>
#include "openflow/act-shape.h"
#include "openflow/oxm-text.h"
#include "openflow/oxm.h"

/* --- Reading --- */

static size_t skip_blanks(const char *s, size_t at) { return at + strspn(s + at, ", \t\r"); }

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* n bytes in hexadecimal. */
static bool take_bytes(const struct text *t, size_t *at, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++, *at += 2) {
        *at += strspn(t->s + *at, " ");
        int high = hex_digit(t->s[*at]), low = high < 0 ? -1 : hex_digit(t->s[*at + 1]);
        if (low < 0)
            return text_fail(t, (struct word){*at, t->s[*at] ? 1 : 0}, "%zu bytes in hexadecimal are wanted, there are %zu", n, i);
        buf_u8(out, (uint8_t)(high << 4 | low));
    }
    return true;
}

static bool take_char(const struct text *t, size_t *at, char c, const char *where)
{
    *at += strspn(t->s + *at, " ");
    if (t->s[*at] != c)
        return text_fail(t, (struct word){*at, t->s[*at] ? 1 : 0}, "'%c' is missing %s", c, where);
    ++*at;
    return true;
}

/* "80000a04": what follows has the bytes that the header says. */
static bool take_raw(const struct text *t, size_t *at, struct buf *out)
{
    size_t from = out->len;
    if (!take_bytes(t, at, 4, out) || !take_char(t, at, '(', "behind the header"))
        return false;
    unsigned len = out->data[from + 3];
    bool masked = out->data[from + 2] & 1;
    if (!take_bytes(t, at, masked ? len / 2 : len, out))
        return false;
    return !masked || (take_char(t, at, '/', "in front of the mask") && take_bytes(t, at, len - len / 2, out));
}

static bool take_named(const struct text *t, struct word name, size_t *at, struct buf *out)
{
    enum field_id f;
    bool masked = name.len > 2 && !memcmp(t->s + name.at + name.len - 2, "_W", 2), nxm;
    struct word plain = {name.at, name.len - (masked ? 2 : 0)};
    if (!subfield_field_by_long_name(t, plain, &f, &nxm))
        return text_fail(t, name, "no field '%.*s'", (int)name.len, t->s + name.at);
    unsigned bytes = oxm_header_put(f, nxm, masked, out);
    *at = name.at + name.len;
    if (!take_char(t, at, '(', "behind the name") || !take_bytes(t, at, bytes, out))
        return false;
    return !masked || (take_char(t, at, '/', "in front of the mask") && take_bytes(t, at, bytes, out));
}

bool oxm_text_parse(const char *s, struct buf *tlvs, struct diag *d)
{
    struct text t = {.s = s, .d = d};
    size_t at = skip_blanks(s, 0);
    if (!strncmp(s + at, "<any>", 5))
        at = skip_blanks(s, at + 5);
    for (; s[at]; at = skip_blanks(s, at)) {
        struct word name = {at, strcspn(s + at, "(, \t")};
        bool raw = name.len == 8 && strspn(s + at, "0123456789abcdefABCDEF") >= 8;
        if (!name.len)
            return text_fail(&t, (struct word){at, 1}, "a field's name is missing");
        if (!(raw ? take_raw(&t, &at, tlvs) : take_named(&t, name, &at, tlvs)) || !take_char(&t, &at, ')', "at the end"))
            return false;
    }
    return true;
}

/* --- Writing --- */

static void put_bytes(struct rd *r, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%02x", rd_u8(r));
}

void oxm_text_format(const void *tlvs, size_t len, struct buf *out)
{
    struct rd r = rd_init(tlvs, len);
    const char *gap = "";
    if (!len)
        buf_puts(out, "<any>");
    while (rd_left(&r)) {
        struct oxm_header h;
        struct rd ahead = r;
        uint32_t raw = rd_u32(&ahead);
        if (!oxm_header_decode(&r, &h) || rd_left(&r) < h.len) {
            buf_printf(out, "%s(cut short)", gap);
            return;
        }
        buf_puts(out, gap);
        if (h.field < 0) { /* with its experimenter's id, if it has one */
            r = ahead;
            h.len = (uint8_t)raw;
            buf_printf(out, "%08x", raw);
        } else {
            subfield_long_name((enum field_id)h.field, raw >> 16 < 0x8000, out);
            buf_puts(out, h.masked ? "_W" : "");
        }
        buf_puts(out, "(");
        put_bytes(&r, h.masked ? h.len / 2 : h.len, out);
        if (h.masked) {
            buf_puts(out, "/");
            put_bytes(&r, h.len - h.len / 2, out);
        }
        buf_puts(out, ")");
        gap = ", ";
    }
    buf_text(out);
}
