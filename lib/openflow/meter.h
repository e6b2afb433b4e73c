/* meter.h: meters as OpenFlow 1.3.5 speaks of them (5.7, 7.3.4.4, 7.3.5.12 to 14): wire and text.
 *
 * Decoders check structure and types; whether a switch takes it (numbers, rates, how many) is the switch's affair. Bands
 * stay as they were sent, and in order. */
#ifndef OPENFLOW_METER_H
#define OPENFLOW_METER_H 1

#include "openflow/ofp.h"
#include "base/diag.h"

enum ofp_meter_no {
    OFPM_MAX = 0xffff0000,
#define METER_VIRTUAL(id, number, name, doc) OFPM_##id = number,
#include "openflow/meter.def"
#undef METER_VIRTUAL
};
enum ofp_meter_flags {
#define METER_FLAG(id, bit, name, doc) OFPMF_##id = bit,
#include "openflow/meter.def"
#undef METER_FLAG
};
enum ofp_meter_band_type {
#define METER_BAND(id, type, name, doc) OFPMBT_##id = type,
#include "openflow/meter.def"
#undef METER_BAND
    OFPMBT_EXPERIMENTER = 0xffff, /* nobody's: refused */
};
enum ofp_meter_mod_command { OFPMC_ADD, OFPMC_MODIFY, OFPMC_DELETE };

/* Every flag and band type there is a row of. */
enum {
    METER_FLAGS_KNOWN = 0
#define METER_FLAG(id, bit, name, doc) | bit
#include "openflow/meter.def"
#undef METER_FLAG
    ,
    METER_BANDS_KNOWN = 0
#define METER_BAND(id, type, name, doc) | 1 << type
#include "openflow/meter.def"
#undef METER_BAND
};

struct ofp_meter_band {
    uint16_t type;
    uint8_t prec_level;   /* DSCP_REMARK; else 0 */
    uint32_t rate, burst; /* kb/s and kb, or packets */
};
struct ofp_meter {
    uint32_t id;
    uint16_t flags;
    size_t n_bands;
    struct ofp_meter_band *bands; /* its own memory */
};
void ofp_meter_free(struct ofp_meter *);
bool ofp_meter_equal(const struct ofp_meter *, const struct ofp_meter *);

struct ofp_meter_mod {
    uint16_t command;
    struct ofp_meter meter; /* DELETE: the number alone */
};
void meter_mod_encode(const struct ofp_meter_mod *, uint8_t version, uint32_t xid, struct buf *out);
/* Free m->meter, also after an error. */
enum ofp_error meter_mod_decode(uint8_t version, struct rd body, struct ofp_meter_mod *);

/* METER and METER_CONFIG requests. */
void meter_request_encode(enum ofp_msg_type, uint32_t id, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error meter_request_decode(uint8_t version, struct rd body, uint32_t *id);

/* One entry of METER_CONFIG. */
void meter_config_encode(const struct ofp_meter *, uint8_t version, struct buf *out);
enum ofp_error meter_config_decode(uint8_t version, struct rd *, struct ofp_meter *); /* free it, also after an error */

struct ofp_meter_stats {
    uint32_t id, flow_count, duration_sec, duration_nsec;
    uint64_t packets, bytes; /* that came in */
    size_t n_bands;
    struct ofp_meter_band_stats {
        uint64_t packets, bytes; /* that the band was applied to */
    } *bands; /* of whoever fills it: decode's is freed by meter_stats_free() */
};
void meter_stats_encode(const struct ofp_meter_stats *, uint8_t version, struct buf *out); /* one entry */
enum ofp_error meter_stats_decode(uint8_t version, struct rd *, struct ofp_meter_stats *);
void meter_stats_free(struct ofp_meter_stats *);

struct ofp_meter_features {
    uint32_t max_meters, band_types /* 1 << OFPMBT_… */, capabilities /* OFPMF_… */;
    uint8_t max_bands, max_color;
};
void meter_features_encode(const struct ofp_meter_features *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error meter_features_decode(uint8_t version, struct rd body, struct ofp_meter_features *);

/* --- Text: "meter=1 kbps burst stats bands=type=drop rate=1000 burst_size=100" --- */

/* As add-meter and mod-meter take it, and as dump-meters prints it. On failure false. Free m either way. */
bool ofp_meter_parse(const char *text, struct ofp_meter *m, struct diag *d);
/* "meter=1", "1", "all", "" (all), for del-meters and dump-meters. */
bool ofp_meter_parse_id(const char *text, uint32_t *id, struct diag *d);
void ofp_meter_format(const struct ofp_meter *, struct buf *out); /* bands on lines of their own, each ended by \n */
void ofp_meter_id_format(uint32_t id, char delim, struct buf *out); /* "meter=1", "meter:all" */
void meter_stats_format(const struct ofp_meter_stats *, struct buf *out);
const char *meter_band_name(uint16_t type); /* NULL: there is none */

#endif
