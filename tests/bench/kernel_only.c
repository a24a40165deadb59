/* The kernel's own work for the verbs of a bridge attachment and nothing else: the floor that the
 * benchmark compares with. No checks, no result, no IPAM, raw rtnetlink. rtnetlink(7).
 *
 *   kernel_only ADD <netns-path> <ifname> <bridge> <addr/len> <gateway>
 *   kernel_only DEL <netns-path> <ifname>            (more arguments are ignored)
 *
 * The bridge with its gateway address must exist. Build it static, process start is part of the
 * measure: cc -O2 -static -o kernel_only tests/bench/kernel_only.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ends with the failing call's name, as the benchmark must not count a verb that did nothing. */
static void die(const char* what, int error) {
  fprintf(stderr, "kernel_only: %s: %s\n", what, strerror(error));
  exit(1);
}

static union {
  char bytes[2048];
  struct nlmsghdr align;
} batch;
static size_t used;
static int messages;

static struct nlmsghdr* message(uint16_t type, uint16_t flags, const void* header, size_t size) {
  struct nlmsghdr* m = (struct nlmsghdr*)(batch.bytes + used);
  m->nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
  m->nlmsg_type = type;
  m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
  m->nlmsg_seq = (uint32_t)++messages;
  memcpy(NLMSG_DATA(m), header, size);
  return m;
}

static struct rtattr* attribute(struct nlmsghdr* m, uint16_t type, const void* data, size_t size) {
  struct rtattr* a = (struct rtattr*)((char*)m + NLMSG_ALIGN(m->nlmsg_len));
  a->rta_type = type;
  a->rta_len = (uint16_t)RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(a), data, size);
  m->nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->nlmsg_len) + RTA_ALIGN(a->rta_len));
  return a;
}

static void end_nest(struct nlmsghdr* m, struct rtattr* a) {
  a->rta_len = (uint16_t)((char*)m + m->nlmsg_len - (char*)a);
}

static void end_message(const struct nlmsghdr* m) { used += NLMSG_ALIGN(m->nlmsg_len); }

static int open_socket(void) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) die("socket", errno);
  return fd;
}

/* One send, then an answer for each message. */
static void commit(int fd, const char* what) {
  if (send(fd, batch.bytes, used, 0) < 0) die(what, errno);
  for (; messages > 0; --messages) {
    char answer[4096];
    const ssize_t size = recv(fd, answer, sizeof answer, 0);
    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr))) die(what, EBADMSG);
    const struct nlmsgerr* error = NLMSG_DATA((struct nlmsghdr*)answer);
    if (error->error != 0) die(what, -error->error);
  }
  used = 0;
}

static int index_of(int fd, const char* name) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFINDEX, &request) != 0) die(name, errno);
  return request.ifr_ifindex;
}

static void enter(int netns) {
  if (setns(netns, CLONE_NEWNET) != 0) die("setns", errno);
}

static void add_veth(int fd, int netns, const char* name, int bridge) {
  struct {
    uint8_t host[6], container[6];
    uint32_t name;
  } random;
  if (getrandom(&random, sizeof random, 0) != sizeof random) die("getrandom", errno);
  random.host[0] = random.container[0] = 0x02;
  char host_name[IFNAMSIZ];
  const int length = snprintf(host_name, sizeof host_name, "veth%08x", random.name);

  const struct ifinfomsg up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  const struct ifinfomsg none = {0};
  struct nlmsghdr* m = message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &up, sizeof up);
  attribute(m, IFLA_IFNAME, host_name, (size_t)length + 1);
  attribute(m, IFLA_ADDRESS, random.host, 6);
  attribute(m, IFLA_MASTER, &bridge, sizeof bridge);
  struct rtattr* info = attribute(m, IFLA_LINKINFO, NULL, 0);
  attribute(m, IFLA_INFO_KIND, "veth", 5);
  struct rtattr* data = attribute(m, IFLA_INFO_DATA, NULL, 0);
  struct rtattr* peer = attribute(m, VETH_INFO_PEER, &none, sizeof none);
  attribute(m, IFLA_IFNAME, name, strlen(name) + 1);
  attribute(m, IFLA_ADDRESS, random.container, 6);
  attribute(m, IFLA_NET_NS_FD, &netns, sizeof netns);
  end_nest(m, peer);
  end_nest(m, data);
  end_nest(m, info);
  end_message(m);
  commit(fd, "create veth");
}

static void configure(int fd, int index, const char* address, const char* gateway) {
  char text[INET6_ADDRSTRLEN];
  const char* slash = strchr(address, '/');
  if (slash == NULL || (size_t)(slash - address) >= sizeof text) die(address, EINVAL);
  memcpy(text, address, (size_t)(slash - address));
  text[slash - address] = '\0';
  const int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
  const size_t size = family == AF_INET ? 4 : 16;
  uint8_t local[16], via[16];
  if (inet_pton(family, text, local) != 1 || inet_pton(family, gateway, via) != 1)
    die(address, EINVAL);

  const struct ifinfomsg up = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  struct nlmsghdr* m = message(RTM_NEWLINK, 0, &up, sizeof up);
  end_message(m);

  const struct ifaddrmsg addr = {.ifa_family = (uint8_t)family,
                                 .ifa_prefixlen = (uint8_t)atoi(slash + 1),
                                 .ifa_index = (uint32_t)index};
  m = message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &addr, sizeof addr);
  attribute(m, IFA_LOCAL, local, size);
  attribute(m, IFA_ADDRESS, local, size);
  const uint32_t nodad = IFA_F_NODAD;
  if (family == AF_INET6) attribute(m, IFA_FLAGS, &nodad, sizeof nodad);
  end_message(m);

  const struct rtmsg route = {.rtm_family = (uint8_t)family,
                              .rtm_table = RT_TABLE_MAIN,
                              .rtm_protocol = RTPROT_BOOT,
                              .rtm_scope = RT_SCOPE_UNIVERSE,
                              .rtm_type = RTN_UNICAST};
  m = message(RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
  attribute(m, RTA_GATEWAY, via, size);
  attribute(m, RTA_OIF, &index, sizeof index);
  end_message(m);
  commit(fd, "configure the container's link");
}

int main(int argc, char** argv) {
  const int add = argc == 7 && strcmp(argv[1], "ADD") == 0;
  if (!add && (argc < 4 || strcmp(argv[1], "DEL") != 0)) {
    fputs(
        "usage: kernel_only ADD <netns> <ifname> <bridge> <addr/len> <gateway> | DEL <netns> "
        "<ifname>\n",
        stderr);
    return 2;
  }
  const int netns = open(argv[2], O_RDONLY | O_CLOEXEC);
  if (netns < 0) die(argv[2], errno);
  if (add) {
    const int host = open_socket();
    add_veth(host, netns, argv[3], index_of(host, argv[4]));
  }
  enter(netns);
  const int container = open_socket();
  if (add) {
    configure(container, index_of(container, argv[3]), argv[5], argv[6]);
  } else {
    const struct ifinfomsg none = {0};
    struct nlmsghdr* m = message(RTM_DELLINK, 0, &none, sizeof none);
    attribute(m, IFLA_IFNAME, argv[3], strlen(argv[3]) + 1);
    end_message(m);
    commit(container, "delete link");
  }
  return 0;
}
