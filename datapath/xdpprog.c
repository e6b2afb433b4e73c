#include "config.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/types.h"
#include "datapath/xdpprog.h"

#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1 << 6) /* Linux 6.3 */
#endif

/* clang-format off */
#define R(N) BPF_REG_##N
#define MOV_IMM(DST, IMM) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (DST), .imm = (IMM)}
#define MOV(DST, SRC) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (DST), .src_reg = (SRC)}
#define ADD_IMM(DST, IMM) {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (DST), .imm = (IMM)}
#define TO_BE16(DST) {.code = BPF_ALU | BPF_END | BPF_TO_BE, .dst_reg = (DST), .imm = 16}
#define LOAD(SIZE, DST, SRC, OFF) {.code = BPF_LDX | BPF_MEM | (SIZE), .dst_reg = (DST), .src_reg = (SRC), .off = (OFF)}
#define STORE(SIZE, DST, OFF, SRC) {.code = BPF_STX | BPF_MEM | (SIZE), .dst_reg = (DST), .src_reg = (SRC), .off = (OFF)}
#define JUMP_NE(REG, IMM, BY) {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (REG), .imm = (IMM), .off = (BY)}
#define JUMP_GT(REG, OTHER, BY) {.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = (REG), .src_reg = (OTHER), .off = (BY)}
#define CALL(HELPER) {.code = BPF_JMP | BPF_CALL, .imm = (HELPER)}
#define CALL_KERNEL(ID) {.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = (ID)}
#define LOAD_MAP(DST, FD) \
    {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (DST), .src_reg = BPF_PSEUDO_MAP_FD, .imm = (FD)}, {.code = 0}
#define EXIT() {.code = BPF_JMP | BPF_EXIT}

#define CONTEXT(MEMBER) offsetof(struct xdp_md, MEMBER)

/* return bpf_redirect_map(map, context->rx_queue_index, XDP_DROP); the context is in r6 */
#define REDIRECT(MAP)                                                                                       \
    LOAD(BPF_W, R(2), R(6), CONTEXT(rx_queue_index)), LOAD_MAP(R(1), MAP), MOV_IMM(R(3), XDP_DROP),         \
        CALL(BPF_FUNC_redirect_map), EXIT()

/* clang-format on */

enum { TPID = -8, TCI = -4 }; /* in the program's stack */

static int load(const struct bpf_insn *insns, size_t n, uint32_t bound_to)
{
    union bpf_attr attr = {0};
    attr.prog_type = BPF_PROG_TYPE_XDP;
    attr.expected_attach_type = BPF_XDP;
    attr.insns = (uintptr_t)insns;
    attr.insn_cnt = n;
    /* The kernel lends its functions only to programs that are also under a licence like its own: so these few
     * instructions are, in addition to that of xvs. */
    attr.license = (uintptr_t) "Dual MIT/GPL";
    memcpy(attr.prog_name, "xvs_xdp", 8);
    if (bound_to) {
        attr.prog_ifindex = bound_to;
        attr.prog_flags = BPF_F_XDP_DEV_BOUND_ONLY;
    }
    int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
    return fd < 0 ? -errno : fd;
}

static int load_plain(int map)
{
    const struct bpf_insn insns[] = {MOV(R(6), R(1)), REDIRECT(map)};
    return load(insns, ARRAY_SIZE(insns), 0);
}

static int load_tags(int map, uint32_t ifindex)
{
    int id = libbpf_find_vmlinux_btf_id("bpf_xdp_metadata_rx_vlan_tag", BPF_TRACE_FENTRY);
    if (id <= 0)
        return -ENOENT;
    /* clang-format off */
    const struct bpf_insn insns[] = {
        MOV(R(6), R(1)),
        MOV(R(2), R(10)), ADD_IMM(R(2), TPID),
        MOV(R(3), R(10)), ADD_IMM(R(3), TCI),
        CALL_KERNEL(id), /* (context, be16 *tpid, u16 *tci): 0 if there is a tag outside of the frame */
        JUMP_NE(R(0), 0, 20),
        MOV(R(1), R(6)), MOV_IMM(R(2), -4),
        CALL(BPF_FUNC_xdp_adjust_head),
        JUMP_NE(R(0), 0, 22),
        LOAD(BPF_W, R(2), R(6), CONTEXT(data)),
        LOAD(BPF_W, R(3), R(6), CONTEXT(data_end)),
        MOV(R(4), R(2)), ADD_IMM(R(4), 18),
        JUMP_GT(R(4), R(3), 17),
        /* the addresses, forward; each word is read before it is written over */
        LOAD(BPF_W, R(5), R(2), 4), STORE(BPF_W, R(2), 0, R(5)),
        LOAD(BPF_W, R(5), R(2), 8), STORE(BPF_W, R(2), 4, R(5)),
        LOAD(BPF_W, R(5), R(2), 12), STORE(BPF_W, R(2), 8, R(5)),
        LOAD(BPF_H, R(5), R(10), TPID), STORE(BPF_H, R(2), 12, R(5)),
        LOAD(BPF_H, R(5), R(10), TCI), TO_BE16(R(5)), STORE(BPF_H, R(2), 14, R(5)),
        REDIRECT(map), /* six instructions */
        MOV_IMM(R(0), XDP_DROP), EXIT(),
    };
    /* clang-format on */
    return load(insns, ARRAY_SIZE(insns), ifindex);
}

int xdpprog_open(struct xdpprog *x, unsigned n_queues)
{
    *x = XDPPROG_INIT;
    x->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "xvs_xsks", sizeof(uint32_t), sizeof(uint32_t), n_queues, NULL);
    return x->map < 0 ? -x->map : 0;
}

int xdpprog_attach(struct xdpprog *x, uint32_t ifindex, enum xdpprog_kind kind)
{
    union bpf_attr attr = {0};
    int prog = kind == XDPPROG_TAGS ? load_tags(x->map, ifindex) : load_plain(x->map);
    if (prog < 0)
        return -prog;
    attr.link_create.prog_fd = prog;
    attr.link_create.target_ifindex = ifindex;
    attr.link_create.attach_type = BPF_XDP;
    attr.link_create.flags = XDP_FLAGS_DRV_MODE;
    x->link = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
    int error = x->link < 0 ? errno : 0;
    close(prog);
    return error;
}

void xdpprog_close(struct xdpprog *x)
{
    if (x->link >= 0)
        close(x->link);
    if (x->map >= 0)
        close(x->map);
    *x = XDPPROG_INIT;
}
