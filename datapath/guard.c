/* guard.c: keeps the host's own IP stack off what arrives at a switch port. */
#include "config.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>
#include "datapath/guard.h"

#define LOAD_ABS(SIZE, AT)                             \
    {                                                  \
        .code = BPF_LD | BPF_ABS | (SIZE), .imm = (AT) \
    } /* r0 = packet[AT], r6 = context */

static const struct bpf_insn drop_all[] = {
    HOOK_MOV_IMM(BPF_REG_0, TC_ACT_SHOT),
    HOOK_EXIT(),
};

static const struct bpf_insn drop_gre[] = {
    HOOK_MOV_REG(BPF_REG_6, BPF_REG_1),
    LOAD_ABS(BPF_H, 12),
    HOOK_JUMP(BPF_JNE, BPF_REG_0, ETH_P_IP, 4),
    LOAD_ABS(BPF_B, 23),
    HOOK_JUMP(BPF_JNE, BPF_REG_0, IPPROTO_GRE, 2),
    HOOK_MOV_IMM(BPF_REG_0, TC_ACT_SHOT),
    HOOK_EXIT(),
    HOOK_MOV_IMM(BPF_REG_0, HOOK_NEXT),
    HOOK_EXIT(),
};

static const struct {
    const struct bpf_insn *insns;
    size_t n;
} programs[] = {[GUARD_ALL] = {drop_all, ARRAY_SIZE(drop_all)}, [GUARD_GRE] = {drop_gre, ARRAY_SIZE(drop_gre)}};

bool guard_install(struct hook *h, uint32_t ifindex, enum guard_what what, struct diag *d)
{
    return hook_attach(h, ifindex, false, "xvs_guard", programs[what].insns, programs[what].n) ||
           diag_fail(d, 0, 0, "the host's IP stack also gets what arrives there: no eBPF at ingress (%s)",
                     strerror(errno));
}
