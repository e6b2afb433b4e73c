/* afpacket-socket.c: opening AF_PACKET sockets. */
#include "config.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/types.h"
#include "datapath/afpacket-socket.h"
#include "datapath/rxring.h"

enum { SOCKET_BUFFER = 8 << 20 };

bool set_option(int fd, int level, int option, int value)
{
    return !setsockopt(fd, level, option, &value, sizeof value);
}

static bool bind_to(int fd, uint32_t ifindex, uint16_t protocol)
{
    struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_protocol = htons(protocol)};
    return !bind(fd, (struct sockaddr *)&sll, sizeof sll);
}

static struct sock_filter gre_only_code[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),  BPF_STMT(BPF_RET | BPF_K, 0),
};
static struct sock_filter nothing_code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
static struct sock_filter incoming_code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    BPF_STMT(BPF_RET | BPF_K, 0),
};
const struct sock_fprog filter_gre = {ARRAY_SIZE(gre_only_code), gre_only_code};
const struct sock_fprog filter_nothing = {1, nothing_code};
const struct sock_fprog filter_incoming = {ARRAY_SIZE(incoming_code), incoming_code};

bool set_filter(int fd, const struct sock_fprog *filter)
{
    return !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof *filter);
}

bool set_rcvbuf(int fd, int bytes)
{
    return set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) || set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

int open_rx(uint32_t ifindex, bool promiscuous, const struct sock_fprog *filter, struct rxring *ring, unsigned blocks)
{
    struct packet_mreq membership = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_rcvbuf(fd, SOCKET_BUFFER);
    set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1); /* Linux 4.20; what we send ourselves comes back without */
    if (set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) && set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1) &&
        (!filter || set_filter(fd, filter)) && (!ring || rxring_create(ring, fd, blocks)) &&
        (!promiscuous || !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership)) &&
        bind_to(fd, ifindex, ETH_P_ALL))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int open_tx(uint32_t ifindex)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER))
        set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
    if (set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) && bind_to(fd, ifindex, 0 /* receives nothing */))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
