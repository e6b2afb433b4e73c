/* encap.c: see Linux, net/core/filter.c (bpf_skb_adjust_room()) and net/ipv4/gre_offload.c. */
#include "config.h"
#include <linux/pkt_cls.h>
#include <sys/socket.h>
#include "datapath/encap.h"
#include "datapath/tunnel/gre.h"
#include "packet/gso.h"

enum { MARK = 0x78767300 /* "xvs" */, LEN = 63, COPY = 48, AT = -COPY };
enum { SHORTEST = IPV4_HEADER + 4 + ETH_HEADER, LONGEST = SHORTEST + 4 };

#define CTX(OP, REG)                                                                            \
    {                                                                                           \
        .code = (OP) | BPF_MEM | BPF_W, .dst_reg = (OP) == BPF_STX ? BPF_REG_6 : (REG),         \
        .src_reg = (OP) == BPF_STX ? (REG) : BPF_REG_6, .off = offsetof(struct __sk_buff, mark) \
    }
#define AND(REG, IMM)                                                       \
    {                                                                       \
        .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = (REG), .imm = (IMM) \
    }
#define ADD(REG, IMM)                                                       \
    {                                                                       \
        .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (REG), .imm = (IMM) \
    }
#define NEGATE(REG)                                   \
    {                                                 \
        .code = BPF_ALU64 | BPF_NEG, .dst_reg = (REG) \
    }
#define MOV_IMM64(REG, IMM)                                                       \
    {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (REG), .imm = (int32_t)(IMM)}, \
    {                                                                             \
        .imm = (int32_t)((uint64_t)(IMM) >> 32)                                   \
    }
#define CALL(FN)                                         \
    {                                                    \
        .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_##FN \
    }

/* r6: context, r7: mark, r8: length of what lies between outer Ethernet and inner IP header. */
static const struct bpf_insn program[] = {
    HOOK_MOV_REG(BPF_REG_6, BPF_REG_1),
    CTX(BPF_LDX, BPF_REG_7),
    HOOK_MOV_REG(BPF_REG_8, BPF_REG_7),
    AND(BPF_REG_7, ~LEN),
    HOOK_JUMP(BPF_JNE, BPF_REG_7, MARK, 34), /* to the end: next */
    AND(BPF_REG_8, LEN),
    HOOK_JUMP(BPF_JLT, BPF_REG_8, SHORTEST, 34), /* to the end: drop */
    HOOK_JUMP(BPF_JGT, BPF_REG_8, LONGEST, 33),
    HOOK_MOV_IMM(BPF_REG_1, 0),
    CTX(BPF_STX, BPF_REG_1),
    /* Keep them. */
    HOOK_MOV_REG(BPF_REG_1, BPF_REG_6),
    HOOK_MOV_IMM(BPF_REG_2, ETH_HEADER),
    HOOK_MOV_REG(BPF_REG_3, BPF_REG_10),
    ADD(BPF_REG_3, AT),
    HOOK_MOV_IMM(BPF_REG_4, COPY),
    CALL(skb_load_bytes),
    HOOK_JUMP(BPF_JNE, BPF_REG_0, 0, 24),
    /* Away, */
    HOOK_MOV_REG(BPF_REG_1, BPF_REG_6),
    HOOK_MOV_REG(BPF_REG_2, BPF_REG_8),
    NEGATE(BPF_REG_2),
    HOOK_MOV_IMM(BPF_REG_3, BPF_ADJ_ROOM_MAC),
    HOOK_MOV_IMM(BPF_REG_4, BPF_F_ADJ_ROOM_FIXED_GSO),
    CALL(skb_adjust_room),
    HOOK_JUMP(BPF_JNE, BPF_REG_0, 0, 17),
    /* and back. */
    HOOK_MOV_REG(BPF_REG_1, BPF_REG_6),
    HOOK_MOV_REG(BPF_REG_2, BPF_REG_8),
    HOOK_MOV_IMM(BPF_REG_3, BPF_ADJ_ROOM_MAC),
    MOV_IMM64(BPF_REG_4, BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_GRE |
                             BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_ENCAP_L2((uint64_t)ETH_HEADER)),
    CALL(skb_adjust_room),
    HOOK_JUMP(BPF_JNE, BPF_REG_0, 0, 10),
    HOOK_MOV_REG(BPF_REG_1, BPF_REG_6),
    HOOK_MOV_IMM(BPF_REG_2, ETH_HEADER),
    HOOK_MOV_REG(BPF_REG_3, BPF_REG_10),
    ADD(BPF_REG_3, AT),
    HOOK_MOV_REG(BPF_REG_4, BPF_REG_8),
    HOOK_MOV_IMM(BPF_REG_5, 0),
    CALL(skb_store_bytes),
    HOOK_JUMP(BPF_JNE, BPF_REG_0, 0, 2),
    HOOK_MOV_IMM(BPF_REG_0, HOOK_NEXT),
    HOOK_EXIT(),
    HOOK_MOV_IMM(BPF_REG_0, TC_ACT_SHOT), /* the sender gets ENOBUFS */
    HOOK_EXIT(),
};

bool encap_install(struct hook *h, uint32_t ifindex, int fd)
{
    uint32_t none = 0;
    *h = HOOK_INIT;
    return !setsockopt(fd, SOL_SOCKET, SO_MARK, &none, sizeof none) &&
           hook_attach(h, ifindex, true, "xvs_encap", program, ARRAY_SIZE(program));
}

uint32_t encap_mark(const struct packet *p)
{
    struct gso_cut cut;
    if (p->csum != CSUM_PARTIAL || !gso_begin(&cut, p) || cut.outer != ETH_HEADER || p->csum_start != cut.l4 ||
        p->data[ETH_HEADER] != (4 << 4 | IPV4_HEADER / 4))
        return 0;
    struct gre gre;
    uint32_t at = ETH_HEADER + IPV4_HEADER, len = cut.l3 - ETH_HEADER;
    if (gre_parse(p->data + at, p->len - at, &gre) != GRE_OK || len != IPV4_HEADER + (uint32_t)gre.len + ETH_HEADER)
        return 0; /* tags inside */
    return MARK | len;
}
