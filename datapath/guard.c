/* guard.c: keeps the host's own IP stack off what arrives at a switch port. */
#include "config.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "datapath/closer.h"
#include "datapath/guard.h"

#ifndef TCX_INGRESS
#define TCX_INGRESS 46 /* BPF_TCX_INGRESS, Linux 6.6 */
#endif

#define MOV_IMM(DST, IMM) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (DST), .imm = (IMM)}
#define MOV_REG(DST, SRC) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (DST), .src_reg = (SRC)}
#define LOAD_ABS(SIZE, AT) {.code = BPF_LD | BPF_ABS | (SIZE), .imm = (AT)} /* r0 = packet[AT], r6 = context */
#define JUMP_NE(REG, IMM, BY) {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (REG), .imm = (IMM), .off = (BY)}
#define EXIT() {.code = BPF_JMP | BPF_EXIT}

enum { VERDICT_NEXT = -1 /* TC_ACT_UNSPEC: whatever comes after */ };

static const struct bpf_insn drop_all[] = {
    MOV_IMM(BPF_REG_0, TC_ACT_SHOT),
    EXIT(),
};

static const struct bpf_insn drop_gre[] = {
    MOV_REG(BPF_REG_6, BPF_REG_1),
    LOAD_ABS(BPF_H, 12),
    JUMP_NE(BPF_REG_0, ETH_P_IP, 4),
    LOAD_ABS(BPF_B, 23),
    JUMP_NE(BPF_REG_0, IPPROTO_GRE, 2),
    MOV_IMM(BPF_REG_0, TC_ACT_SHOT),
    EXIT(),
    MOV_IMM(BPF_REG_0, VERDICT_NEXT),
    EXIT(),
};

static const struct {
    const struct bpf_insn *insns;
    size_t n;
} programs[] = {[GUARD_ALL] = {drop_all, ARRAY_SIZE(drop_all)}, [GUARD_GRE] = {drop_gre, ARRAY_SIZE(drop_gre)}};

static int bpf(int command, union bpf_attr *attr, size_t size) { return syscall(SYS_bpf, command, attr, size); }

static int load(enum guard_what what)
{
    union bpf_attr attr = {0};
    attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attr.insns = (uintptr_t)programs[what].insns;
    attr.insn_cnt = programs[what].n;
    attr.license = (uintptr_t) "Apache-2.0";
    memcpy(attr.prog_name, "xvs_guard", 10);
    return bpf(BPF_PROG_LOAD, &attr, sizeof attr);
}

static int attach_tcx(int prog, uint32_t ifindex)
{
    union bpf_attr attr = {0};
    attr.link_create.prog_fd = prog;
    attr.link_create.target_ifindex = ifindex;
    attr.link_create.attach_type = TCX_INGRESS;
    return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

/* Older kernels: a clsact qdisc (or one that is there) and a classifier in it. */
enum { HANDLE = 0x787673 /* "xvs" */, PRIORITY = 1 };

static int attach_classic(int prog, uint32_t ifindex)
{
    DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
    DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY, .prog_fd = prog,
                        .flags = BPF_TC_F_REPLACE);
    int error = bpf_tc_hook_create(&hook);
    if (error && error != -EEXIST)
        return error;
    return bpf_tc_attach(&hook, &opts);
}

static void detach_classic(uint32_t ifindex)
{
    DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
    DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
    bpf_tc_detach(&hook, &opts);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    return 0;
}

bool guard_install(struct guard *g, uint32_t ifindex, enum guard_what what, struct diag *d)
{
    *g = GUARD_INIT;
    g->ifindex = ifindex;
    int prog = load(what);
    if (prog < 0)
        return diag_fail(d, 0, 0, "the host's IP stack also gets what arrives there, as eBPF is not permitted (%s)",
                         strerror(errno));
    int error = 0;
    g->link_fd = attach_tcx(prog, ifindex);
    if (g->link_fd < 0) {
        libbpf_set_print(quiet);
        error = attach_classic(prog, ifindex);
        g->classic = !error;
    }
    close(prog);
    return !error || diag_fail(d, 0, 0, "the host's IP stack also gets what arrives there: no eBPF at ingress (%s)",
                               strerror(-error));
}

void guard_remove(struct guard *g)
{
    if (g->link_fd >= 0)
        close_later(g->link_fd);
    if (g->classic)
        detach_classic(g->ifindex);
    *g = GUARD_INIT;
}
