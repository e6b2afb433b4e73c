#include "unit.h"
#include "datapath/tunnel/option.h"

/* "name=value name=value" → struct tunnel_config; what is said about it goes to `said`. */
static bool parse(const char *text, struct tunnel_config *c, int *bad, char said[300])
{
    struct dp_option options[16];
    size_t n = 0;
    char *copy = strdup(text), *rest = copy;
    for (char *word; (word = strsep(&rest, " "));) {
        if (!*word)
            continue;
        options[n].name = strsep(&word, "=");
        options[n++].value = word ? word : "";
    }
    struct diag d = DIAG_INIT;
    struct dp_port_config config = {.name = "gre1", .type = "gre", .options = options, .n_options = n};
    bool ok = tunnel_config_parse(&config, c, bad, &d);
    ck_assert_int_eq(ok, !d.failed);
    if (!ok && d.len) {
        ck_assert_int_ge(*bad, 0);
        ck_assert_uint_le(d.at + d.len, strlen(options[*bad].value));
    }
    snprintf(said, 300, "%s", buf_text(&d.message));
    diag_free(&d);
    free(copy);
    return ok;
}

#define R "remote_ip=192.168.5.238 "

static const struct {
    const char *text;
    int bad;
    const char *says;
} errors[] = {
    {R "key=abc", 1, "wants a number from 0 to 0xffffffff, or flow"},
    {R "key=", 1, "wants a number from 0 to 0xffffffff, or flow"},
    {R "key=0x", 1, "wants a number from 0 to 0xffffffff, or flow"},
    {R "key=-1", 1, "wants a number from 0 to 0xffffffff, or flow"},
    {R "key=1 in_key=12x", 2, "wants a number from 0 to 0xffffffff, or flow"},
    {R "key=0x1ffffffff", 1, "GRE keys have 32 bits: wants a number from 0 to 0xffffffff, or flow"},
    {R "out_key=4294967296", 1, "GRE keys have 32 bits: wants a number from 0 to 0xffffffff, or flow"},
    {R "out_key=99999999999999999999999999", 1, "GRE keys have 32 bits: wants a number from 0 to 0xffffffff, or flow"},
    {R "ttl=abc", 1, "wants a number from 1 to 255, or inherit"},
    {R "ttl=0", 1, "wants a number from 1 to 255, or inherit"},
    {R "ttl=256", 1, "wants a number from 1 to 255, or inherit"},
    {R "tos=0x101", 1, "wants a number from 0 to 252, or inherit"},
    {R "tos=3", 1, "the two ECN bits follow the inner packet: wants a multiple of 4 up to 252, or inherit"},
    {R "csum=maybe", 1, "wants true or false"},
    {R "df_default=1", 1, "wants true or false"},
    {R "packet_type=legacy_l3", 1, "not supported yet; write legacy_l2 (Ethernet in GRE)"},
    {R "packet_type=ipv9", 1, "wants legacy_l2"},
    {R "egress_pkt_mark=7", 1, "marks other than 0 are not supported yet"},
    {R "keyy=7", 1, "type gre has no option 'keyy'; did you mean 'key'?"},
    {R "local=192.168.5.23", 1, "type gre has no option 'local'; did you mean 'local_ip'?"},
    {R "remoteip=192.168.5.23", 1, "type gre has no option 'remoteip'; did you mean 'remote_ip'?"},
    {R "frobnicate=7", 1,
     "type gre has no option 'frobnicate'; it has: remote_ip, local_ip, key, in_key, out_key, ttl, tos, df_default, "
     "csum, gso, "
     "packet_type, egress_pkt_mark"},
    {R "key=1 key=2", 2, "option 'key' is given twice"},
    {R "in-key=1 in_key=2", 2, "option 'in_key' is given twice"},
    {"", -1, "type gre needs remote_ip=ADDRESS, the other end of the tunnel"},
    {"remote_ip=flow", 0,
     "addresses from the flow table (tun_src, tun_dst) are not supported yet; write an IPv4 address"},
    {"remote_ip=fd00::1", 0, "tunnels over IPv6 are not supported yet; write an IPv4 address"},
    {"remote_ip=10.0.0.999", 0, "wants an IPv4 address as 192.0.2.1"},
    {"remote_ip=vm2.example", 0, "wants an IPv4 address as 192.0.2.1"},
    {"remote_ip=224.0.0.5", 0, "wants a unicast address"},
    {"remote_ip=0.0.0.0", 0, "wants a unicast address"},
    {"remote_ip=255.255.255.255", 0, "wants a unicast address"},
    {"remote_ip=127.0.0.1", 0, "wants a unicast address"},
};

START_TEST(says_what_is_wrong)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct tunnel_config c;
        int bad = -2;
        char said[300];
        ck_assert_msg(!parse(errors[i].text, &c, &bad, said), "%s was taken", errors[i].text);
        ck_assert_msg(bad == errors[i].bad, "%s: option %d is blamed", errors[i].text, bad);
        ck_assert_msg(!strcmp(said, errors[i].says), "%s\nsays  %s\nnot   %s", errors[i].text, said, errors[i].says);
    }
}
END_TEST

static struct tunnel_config good(const char *text)
{
    struct tunnel_config c;
    int bad = -2;
    char said[300];
    ck_assert_msg(parse(text, &c, &bad, said), "%s: %s", text, said);
    return c;
}

START_TEST(takes_what_is_right)
{
    struct tunnel_config c = good(R);
    ck_assert_uint_eq(c.remote, inet_addr("192.168.5.238"));
    ck_assert(!c.local && !c.in_key_flow && !c.out_key_flow && !c.in_key && !c.out_key);
    ck_assert(c.df && !c.csum && !c.ttl_inherit && !c.tos_inherit);
    ck_assert_uint_eq(c.ttl, 64);
    ck_assert_uint_eq(c.tos, 0);
    c = good(R "local_ip=192.168.5.23 key=flow");
    ck_assert(c.in_key_flow && c.out_key_flow && c.local == inet_addr("192.168.5.23"));
    c = good(R "key=10");
    ck_assert(c.in_key == 10 && c.out_key == 10);
    c = good("in_key=0xffffffff key=0XA " R); /* the order does not matter */
    ck_assert(c.in_key == 0xffffffff && c.out_key == 10);
    c = good(R "out-key=flow key=010"); /* never octal */
    ck_assert(c.in_key == 10 && !c.in_key_flow && c.out_key_flow && !c.out_key);
    c = good(R "ttl=inherit tos=inherit csum=true df_default=false packet_type=legacy_l2 egress_pkt_mark=0");
    ck_assert(c.ttl_inherit && c.tos_inherit && c.csum && !c.df);
    c = good(R "ttl=255 tos=0xfc");
    ck_assert(c.ttl == 255 && c.tos == 0xfc);
}
END_TEST

/* Every row: its default is good, and each name is found. */
START_TEST(rows_are_sound)
{
    for (int i = 0; i < N_TUNNEL_OPTIONS; i++) {
        char text[100], said[300];
        struct tunnel_config c;
        int bad;
        ck_assert(*tunnel_options[i].doc);
        if (!tunnel_options[i].fallback)
            continue;
        snprintf(text, sizeof text, R "%s=%s", tunnel_options[i].name, tunnel_options[i].fallback);
        ck_assert_msg(parse(text, &c, &bad, said), "%s: %s", text, said);
        struct tunnel_config without = good(R);
        ck_assert_mem_eq(&c, &without, sizeof c);
    }
}
END_TEST

START_TEST(tells_its_identity)
{
    struct buf b = BUF_INIT;
    struct tunnel_config c = good(R "key=10");
    tunnel_config_format_identity(&c, &b);
    ck_assert_str_eq(buf_text(&b), "remote_ip=192.168.5.238 local_ip=any in_key=0xa");
    buf_clear(&b);
    c = good(R "local_ip=10.0.0.1 key=flow");
    tunnel_config_format_identity(&c, &b);
    ck_assert_str_eq(buf_text(&b), "remote_ip=192.168.5.238 local_ip=10.0.0.1 in_key=flow");
    buf_free(&b);
}
END_TEST

UNIT_TEST_MAIN("tunnel options", says_what_is_wrong, takes_what_is_right, rows_are_sound, tells_its_identity)
