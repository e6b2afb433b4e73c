/* meter-text.c: meters as people write and read them, in the syntax of ovs-ofctl(8). */
#include "openflow/meter.h"
#include "base/mem.h"
#include "openflow/msg-format.h"
#include "openflow/text.h"

enum { MAX_BANDS_TEXT = 4000 }; /* more do not fit a message */

static const struct bit_name flags[] = {
#define METER_FLAG(id, bit, name, doc) {bit, name},
#include "openflow/meter.def"
#undef METER_FLAG
};
static const struct bit_name bands[] = {
#define METER_BAND(id, type, name, doc) {type, name},
#include "openflow/meter.def"
#undef METER_BAND
};
static const struct bit_name virtuals[] = {
#define METER_VIRTUAL(id, number, name, doc) {number, name},
#include "openflow/meter.def"
#undef METER_VIRTUAL
};

/* --- Print --- */

void ofp_meter_id_format(uint32_t id, char delim, struct buf *out)
{
    buf_printf(out, "meter%c", delim);
    for (size_t i = 0; i < ARRAY_SIZE(virtuals); i++)
        if (virtuals[i].bit == id) {
            buf_puts(out, virtuals[i].name);
            return;
        }
    buf_printf(out, "%u", id);
}

static void format_band(const struct ofp_meter_band *b, uint16_t meter_flags, struct buf *out)
{
    const char *name = meter_band_name(b->type);
    if (name)
        buf_printf(out, "type=%s rate=%u", name, b->rate);
    else
        buf_printf(out, "type=%u rate=%u", b->type, b->rate);
    if (meter_flags & OFPMF_BURST)
        buf_printf(out, " burst_size=%u", b->burst);
    if (b->type == OFPMBT_DSCP_REMARK)
        buf_printf(out, " prec_level=%u", b->prec_level);
    buf_puts(out, "\n");
}

void ofp_meter_format(const struct ofp_meter *m, struct buf *out)
{
    ofp_meter_id_format(m->id, '=', out);
    buf_puts(out, " ");
    if (m->flags) {
        bits_format(m->flags, flags, ARRAY_SIZE(flags), out);
        buf_puts(out, " ");
    }
    buf_puts(out, "bands=\n");
    for (size_t i = 0; i < m->n_bands; i++)
        format_band(&m->bands[i], m->flags, out);
}

void meter_stats_format(const struct ofp_meter_stats *s, struct buf *out)
{
    ofp_meter_id_format(s->id, ':', out);
    buf_printf(out, " flow_count:%u packet_in_count:%llu byte_in_count:%llu duration:", s->flow_count,
               (unsigned long long)s->packets, (unsigned long long)s->bytes);
    duration_format(s->duration_sec, s->duration_nsec, out);
    buf_puts(out, " bands:\n");
    for (size_t i = 0; i < s->n_bands; i++)
        buf_printf(out, "%zu: packet_count:%llu byte_count:%llu\n", i, (unsigned long long)s->bands[i].packets,
                   (unsigned long long)s->bands[i].bytes);
}

FORMAT_FN(format_meter_mod)
{
    static const char *const commands[] = {"ADD", "MOD", "DEL"};
    struct ofp_meter_mod mm;
    enum ofp_error e = meter_mod_decode(h->version, body, &mm);
    if (e) {
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    } else {
        buf_printf(out, " %s ", commands[mm.command]);
        ofp_meter_format(&mm.meter, out);
    }
    ofp_meter_free(&mm.meter);
}

FORMAT_FN(format_meter_request)
{
    uint32_t id;
    meter_request_decode(h->version, body, &id);
    buf_puts(out, " ");
    ofp_meter_id_format(id, '=', out);
    buf_puts(out, "\n");
}

FORMAT_FN(format_meter_config)
{
    struct ofp_meter m;
    if (!rd_left(&body))
        buf_puts(out, "\n");
    while (rd_left(&body)) {
        enum ofp_error e = meter_config_decode(h->version, &body, &m);
        buf_puts(out, "\n");
        if (e)
            buf_printf(out, "***decode error: %s***\n", ofp_error_name(e));
        else
            ofp_meter_format(&m, out);
        ofp_meter_free(&m);
    }
}

FORMAT_FN(format_meter_stats)
{
    struct ofp_meter_stats s;
    if (!rd_left(&body))
        buf_puts(out, "\n");
    while (rd_left(&body)) {
        enum ofp_error e = meter_stats_decode(h->version, &body, &s);
        buf_puts(out, "\n");
        if (e)
            buf_printf(out, "***decode error: %s***\n", ofp_error_name(e));
        else
            meter_stats_format(&s, out);
        meter_stats_free(&s);
    }
}

FORMAT_FN(format_meter_features)
{
    struct ofp_meter_features f;
    struct bit_name types[ARRAY_SIZE(bands)];
    meter_features_decode(h->version, body, &f);
    for (size_t i = 0; i < ARRAY_SIZE(bands); i++)
        types[i] = (struct bit_name){1u << bands[i].bit, bands[i].name};
    buf_printf(out, "\nmax_meter:%u max_bands:%u max_color:%u\nband_types: ", f.max_meters, f.max_bands, f.max_color);
    bits_format(f.band_types, types, ARRAY_SIZE(types), out);
    buf_puts(out, "\ncapabilities: ");
    bits_format(f.capabilities, flags, ARRAY_SIZE(flags), out);
    buf_puts(out, "\n");
}

/* --- Parse --- */

struct meter_text {
    struct text t;
    struct ofp_meter *m;
    struct word meter, last; /* where the meter's number stands, and the band at hand */
    bool in_bands, has_rate, has_burst, has_level;
};

static bool fail_word(const struct text *t, struct word w, const struct bit_name *rows, size_t n, const char *what)
{
    const char *names[16], *s = t->s + w.at;
    for (size_t i = 0; i < n; i++)
        names[i] = rows[i].name;
    const char *near = nearest_name(s, w.len, names, n);
    return text_fail(t, w, near ? "no %s '%.*s'; did you mean '%s'?" : "no %s '%.*s'", what, (int)w.len, s, near);
}

static bool parse_id(const struct text *t, struct word w, uint32_t *id)
{
    uint64_t n;
    for (size_t i = 0; i < ARRAY_SIZE(virtuals); i++)
        if (text_is_nocase(t, w, virtuals[i].name)) {
            *id = virtuals[i].bit;
            return true;
        }
    if (w.len && (t->s[w.at] < '0' || t->s[w.at] > '9'))
        return fail_word(t, w, virtuals, ARRAY_SIZE(virtuals), "meter");
    if (!text_number(t, w, "meter", OFPM_MAX, &n))
        return false;
    *id = (uint32_t)n;
    return n || text_fail(t, w, "meters are numbered from 1 to 0xffff0000");
}

/* The band that ends here: is it whole? */
static bool end_band(struct meter_text *mt)
{
    struct ofp_meter *m = mt->m;
    if (!m->n_bands)
        return true;
    struct ofp_meter_band *b = &m->bands[m->n_bands - 1];
    bool remark = b->type == OFPMBT_DSCP_REMARK;
    if (!mt->has_rate)
        return text_fail(&mt->t, mt->last, "a band needs its rate: rate=N");
    if (remark && !mt->has_level)
        return text_fail(&mt->t, mt->last, "dscp_remark says by how much it raises the drop precedence: prec_level=1");
    if (!remark && mt->has_level)
        return text_fail(&mt->t, mt->last, "prec_level is for dscp_remark");
    if (mt->has_burst != !!(m->flags & OFPMF_BURST))
        return text_fail(&mt->t, mt->last,
                         mt->has_burst ? "burst_size counts only with the word 'burst' before bands="
                                       : "'burst' is given, so each band needs burst_size=N");
    return true;
}

static bool begin_band(struct meter_text *mt, const struct item *item)
{
    struct ofp_meter *m = mt->m;
    if (!end_band(mt))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(bands); i++) {
        if (!text_is(&mt->t, item->value, bands[i].name))
            continue;
        if (m->n_bands == MAX_BANDS_TEXT)
            return text_fail(&mt->t, item->all, "these are more bands than fit into an OpenFlow message");
        m->bands = xrealloc(m->bands, (m->n_bands + 1) * sizeof *m->bands);
        m->bands[m->n_bands++] = (struct ofp_meter_band){.type = (uint16_t)bands[i].bit};
        mt->has_rate = mt->has_burst = mt->has_level = false;
        mt->last = item->all;
        return true;
    }
    return fail_word(&mt->t, item->value, bands, ARRAY_SIZE(bands), "type of band");
}

enum { RATE, BURST_SIZE, PREC_LEVEL };

static bool set_in_band(struct meter_text *mt, size_t key, const struct item *item, uint64_t n)
{
    struct ofp_meter_band *b = &mt->m->bands[mt->m->n_bands - 1];
    if (key == RATE)
        b->rate = (uint32_t)n;
    else if (key == BURST_SIZE)
        b->burst = (uint32_t)n;
    else
        b->prec_level = (uint8_t)n;
    return key != RATE || n || text_fail(&mt->t, item->value, "no rate is 0: a flow with actions=drop lets nothing through");
}

static bool parse_in_band(struct meter_text *mt, const struct item *item)
{
    const struct {
        const char *name;
        uint64_t max;
        bool *has;
    } keys[] = {[RATE] = {"rate", UINT32_MAX, &mt->has_rate},
                [BURST_SIZE] = {"burst_size", UINT32_MAX, &mt->has_burst},
                [PREC_LEVEL] = {"prec_level", UINT8_MAX, &mt->has_level}};
    uint64_t n;
    if (text_is(&mt->t, item->key, "type"))
        return begin_band(mt, item);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!text_is(&mt->t, item->key, keys[i].name))
            continue;
        if (!mt->m->n_bands)
            return text_fail(&mt->t, item->all, "a band begins with its type: type=drop");
        if (*keys[i].has)
            return text_fail(&mt->t, item->all, "'%s' is given twice for this band", keys[i].name);
        if (!text_number(&mt->t, item->value, keys[i].name, keys[i].max, &n))
            return false;
        *keys[i].has = true;
        return set_in_band(mt, i, item, n);
    }
    return text_fail(&mt->t, item->key, "a band has type=, rate=, burst_size= and prec_level=, no '%.*s'",
                     (int)item->key.len, mt->t.s + item->key.at);
}

static bool parse_word(struct meter_text *mt, const struct item *item)
{
    if (text_is(&mt->t, item->key, "meter")) {
        mt->meter = item->all;
        return parse_id(&mt->t, item->value, &mt->m->id);
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (text_is(&mt->t, item->key, flags[i].name)) {
            mt->m->flags |= (uint16_t)flags[i].bit;
            return !item->delim || text_fail(&mt->t, item->all, "%s takes no value", flags[i].name);
        }
    const char *near = NULL, *names[ARRAY_SIZE(flags) + 2] = {"meter", "bands"}, *s = mt->t.s + item->key.at;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        names[i + 2] = flags[i].name;
    near = nearest_name(s, item->key.len, names, ARRAY_SIZE(names));
    return text_fail(&mt->t, item->key, near ? "no word '%.*s'; did you mean '%s'?" : "no word '%.*s'; a meter is "
                     "'meter=N kbps|pktps [burst] [stats] bands=type=drop rate=N ...'", (int)item->key.len, s, near);
}

static bool check_meter(struct meter_text *mt, size_t end)
{
    const struct ofp_meter *m = mt->m;
    struct word all = {0, end};
    if (!mt->meter.len)
        return text_fail(&mt->t, all, "which meter? Write meter=N");
    if (m->id == OFPM_ALL)
        return text_fail(&mt->t, mt->meter, "'all' names no meter that could be configured");
    if (!(m->flags & (OFPMF_KBPS | OFPMF_PKTPS)))
        return text_fail(&mt->t, all, "in what are the rates? Write kbps or pktps");
    if (m->flags & OFPMF_KBPS && m->flags & OFPMF_PKTPS)
        return text_fail(&mt->t, all, "the rates are either in kbps or in pktps");
    if (!m->n_bands)
        return text_fail(&mt->t, all, "a meter needs a band: bands=type=drop rate=N");
    return end_band(mt);
}

bool ofp_meter_parse(const char *text, struct ofp_meter *m, struct diag *d)
{
    struct meter_text mt = {.t = {.s = text, .d = d}, .m = m};
    size_t at = 0, end = strlen(text);
    struct item item;
    *m = (struct ofp_meter){0};
    while (text_next_item(&mt.t, &at, end, &item)) {
        bool bands = text_is(&mt.t, item.key, "bands") || text_is(&mt.t, item.key, "band"); /* scripts have both */
        if (!mt.in_bands && bands && item.delim == '=') {
            mt.in_bands = true; /* its value is the first word of the first band */
            at = item.value.at;
        } else if (mt.in_bands ? !parse_in_band(&mt, &item) : !parse_word(&mt, &item)) {
            return false;
        }
    }
    return !d->failed && check_meter(&mt, end);
}

bool ofp_meter_parse_id(const char *text, uint32_t *id, struct diag *d)
{
    struct text t = {.s = text, .d = d};
    struct word w = text_trim(&t, (struct word){0, strlen(text)});
    *id = OFPM_ALL;
    if (!w.len)
        return true;
    if (w.len > 6 && !strncmp(text + w.at, "meter=", 6))
        w = (struct word){w.at + 6, w.len - 6};
    return parse_id(&t, w, id);
}
