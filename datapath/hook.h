/* hook.h: a few eBPF instructions at the ingress or egress of a device. They are taken away with the daemon, however that
 * ends (tcx, Linux 6.6), or by hook_detach().
 *
 * Main. */
#ifndef DATAPATH_HOOK_H
#define DATAPATH_HOOK_H 1

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_MOV_IMM(DST, IMM) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (DST), .imm = (IMM)}
#define HOOK_MOV_REG(DST, SRC) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (DST), .src_reg = (SRC)}
#define HOOK_JUMP(OP, REG, IMM, BY) {.code = BPF_JMP | (OP) | BPF_K, .dst_reg = (REG), .imm = (IMM), .off = (BY)}
#define HOOK_EXIT() {.code = BPF_JMP | BPF_EXIT}
enum { HOOK_NEXT = -1 /* TC_ACT_UNSPEC: whatever comes after */ };

struct hook {
    int link_fd;          /* tcx: it goes with the descriptor; -1: none */
    bool classic, egress; /* classic: clsact and cls_bpf */
    uint32_t ifindex;
};
#define HOOK_INIT ((struct hook){.link_fd = -1})

/* False and errno. */
bool hook_attach(struct hook *, uint32_t ifindex, bool egress, const char *name, const struct bpf_insn *, size_t n);
void hook_detach(struct hook *);

#endif
