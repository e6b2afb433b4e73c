/* hook.c: eBPF at a device: tcx, or clsact and cls_bpf. */
#include "config.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "datapath/closer.h"
#include "datapath/hook.h"

enum { TCX_INGRESS = 46, TCX_EGRESS = 47 }; /* BPF_TCX_…, Linux 6.6 */

static int bpf(int command, union bpf_attr *attr, size_t size) { return syscall(SYS_bpf, command, attr, size); }

static int load(const char *name, const struct bpf_insn *insns, size_t n)
{
    union bpf_attr attr = {0};
    attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attr.insns = (uintptr_t)insns;
    attr.insn_cnt = n;
    attr.license = (uintptr_t) "Apache-2.0";
    strncpy(attr.prog_name, name, sizeof attr.prog_name - 1);
    return bpf(BPF_PROG_LOAD, &attr, sizeof attr);
}

static int attach_tcx(int prog, const struct hook *h)
{
    union bpf_attr attr = {0};
    attr.link_create.prog_fd = prog;
    attr.link_create.target_ifindex = h->ifindex;
    attr.link_create.attach_type = h->egress ? TCX_EGRESS : TCX_INGRESS;
    return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

/* Older kernels: a clsact qdisc (or one that is there) and a classifier in it. */
enum { HANDLE = 0x787673 /* "xvs" */, PRIORITY = 1 };

static enum bpf_tc_attach_point side(const struct hook *h) { return h->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS; }

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    return 0;
}

static int attach_classic(int prog, const struct hook *h)
{
    DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = h->ifindex, .attach_point = side(h));
    DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY, .prog_fd = prog,
                        .flags = BPF_TC_F_REPLACE);
    libbpf_set_print(quiet);
    int error = bpf_tc_hook_create(&hook);
    if (error && error != -EEXIST)
        return error;
    return bpf_tc_attach(&hook, &opts);
}

static void detach_classic(const struct hook *h)
{
    DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = h->ifindex, .attach_point = side(h));
    DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
    bpf_tc_detach(&hook, &opts);
}

bool hook_attach(struct hook *h, uint32_t ifindex, bool egress, const char *name, const struct bpf_insn *insns,
                 size_t n)
{
    *h = HOOK_INIT;
    h->ifindex = ifindex;
    h->egress = egress;
    int prog = load(name, insns, n), error = 0;
    if (prog < 0)
        return false;
    h->link_fd = attach_tcx(prog, h);
    if (h->link_fd < 0) {
        error = attach_classic(prog, h);
        h->classic = !error;
    }
    close(prog);
    errno = -error;
    return !error;
}

void hook_detach(struct hook *h)
{
    if (h->link_fd >= 0)
        close_later(h->link_fd);
    if (h->classic)
        detach_classic(h);
    *h = HOOK_INIT;
}
