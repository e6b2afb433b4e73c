/* Lists of primitive actions. */
#include "packets.h"
#include "packet/dpact.h"

static void *append_set(struct buf *list, enum field_id f, uint64_t value, uint64_t mask)
{
    struct dpact_set *set = dpact_append(list, DPACT_SET_FIELD, sizeof *set, f);
    field_value_set_u64(&set->value, value);
    field_value_set_u64(&set->mask, mask);
    return set;
}

static const char *port_name(uint32_t port, void *aux) { return port == 3 ? aux : NULL; }

static void prints(struct buf *list, const char *text)
{
    struct buf out = BUF_INIT;
    dpact_format(list->data, list->len, port_name, (void *)"eth3", &out);
    ck_assert_str_eq(buf_text(&out), text);
    buf_free(&out);
}

START_TEST(appends_and_prints)
{
    struct buf list = BUF_INIT;
    prints(&list, "");
    append_set(&list, FIELD_TCP_SRC, 80, 0xffff);
    append_set(&list, FIELD_IPV4_SRC, 0x0a000000, 0xffffff00);
    dpact_append(&list, DPACT_OUTPUT, sizeof(struct dpact_port), 3);
    size_t clone = dpact_clone_begin(&list);
    dpact_append(&list, DPACT_PUSH_VLAN, sizeof(struct dpact_vlan), 0x8100u << 16 | 5 << 13 | 100);
    size_t inner = dpact_clone_begin(&list);
    dpact_append(&list, DPACT_OUTPUT, sizeof(struct dpact_port), 4);
    dpact_clone_end(&list, inner);
    dpact_append(&list, DPACT_POP_VLAN, sizeof(struct dpact_none), 0);
    dpact_clone_end(&list, clone);
    dpact_append(&list, DPACT_DROP, sizeof(struct dpact_drop), 9);
    dpact_append(&list, DPACT_POP_MPLS, sizeof(struct dpact_vlan), 0x800);
    struct dpact_mpls *mpls = dpact_append(&list, DPACT_PUSH_MPLS, sizeof *mpls, 0x8847);
    mpls->lse = htonl(5 << 12 | 3 << 9 | 1 << 8 | 64);
    dpact_append(&list, DPACT_PUSH_PBB, sizeof(struct dpact_vlan), 3u << 29 | 7);
    dpact_append(&list, DPACT_COPY_TTL_IN, sizeof(struct dpact_none), 0);
    prints(&list, "set(tcp_src=80),set(nw_src=10.0.0.0/24),output:eth3,"
                  "clone(push_vlan(0x8100,vid=100,pcp=5),clone(output:4),pop_vlan),drop:9,pop_mpls:0x0800,push_mpls(0x8847,label=5,tc=3,bos=1,ttl=64),"
                  "push_pbb(isid=7,pcp=3),copy_ttl_in");
    int n = 0;
    DPACT_FOR_EACH(a, list.data, list.len) {
        ck_assert_uint_eq((uintptr_t)a % 8, 0);
        ck_assert_uint_eq(a->len % 8, 0);
        n++;
    }
    ck_assert_int_eq(n, 9);
    buf_free(&list);
}
END_TEST

START_TEST(empty_clone_is_none)
{
    struct buf list = BUF_INIT;
    size_t at = dpact_clone_begin(&list);
    dpact_clone_end(&list, at);
    ck_assert_uint_eq(list.len, 0);
    buf_free(&list);
}
END_TEST

/* Every row has a text, whatever it carries. */
START_TEST(every_row_prints)
{
    static const struct {
        enum dpact_type type;
        size_t size;
        const char *name;
    } rows[] = {
#define DPACT(id, name, carries, doc) {DPACT_##id, sizeof(struct dpact_##carries), name},
#include "packet/dpact.def"
#undef DPACT
    };
    struct buf list = BUF_INIT, out = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        buf_clear(&list);
        buf_clear(&out);
        struct dpact *a = dpact_append(&list, rows[i].type, rows[i].size, 0);
        ck_assert_uint_eq(a->len, ROUND_UP(rows[i].size, 8));
        ck_assert_uint_eq(a->type, rows[i].type);
        for (size_t b = sizeof *a; b < rows[i].size; b++)
            ck_assert_uint_eq(((uint8_t *)a)[b], 0);
        dpact_format(list.data, list.len, NULL, NULL, &out);
        ck_assert(!strncmp(buf_text(&out), rows[i].name, strlen(rows[i].name)));
    }
    buf_free(&list);
    buf_free(&out);
}
END_TEST

START_TEST(tunnel_texts)
{
    struct buf list = BUF_INIT;
    struct dpact_hold *hold = dpact_append(&list, DPACT_HOLD, sizeof *hold, 3);
    hold->tun_id = htobe64(10);
    inet_pton(AF_INET, "192.168.5.23", &hold->tun_src);
    inet_pton(AF_INET, "192.168.5.238", &hold->tun_dst);
    inet_pton(AF_INET, "192.168.5.1", &hold->nexthop);
    struct dpact_push *push = dpact_append(&list, DPACT_TUN_PUSH, sizeof *push, 3);
    push->header_len = 42;
    prints(&list, "hold(eth3,tun_id=0xa,src=192.168.5.23,dst=192.168.5.238,nexthop=192.168.5.1),tun_push(eth3,header=42)");
    buf_free(&list);
}
END_TEST

UNIT_TEST_MAIN("dpact", appends_and_prints, empty_clone_is_none, every_row_prints, tunnel_texts)
