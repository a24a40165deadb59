/* The kernel's part of an attachment and nothing else: the floor that the benchmark compares with.
 * Raw netlink, each socket's messages in one batch.
 *
 *   kernel_only ADD bridge <netns-path> <ifname> <bridge> <addr/len> <gateway>
 *   kernel_only DEL bridge <netns-path> <ifname> <bridge> <addr/len> <gateway>
 *   kernel_only ADD macvlan <netns-path> <ifname> <master> <addr/len> <gateway>
 *   kernel_only DEL macvlan <netns-path> <ifname> <master> <addr/len> <gateway>
 *
 * ADD bridge leaves in the kernel what ADD of the reference plugins (isDefaultGateway, ipMasq)
 * leaves there:
 *   - a veth pair, random names and MACs, the host end up and a port of the bridge, its accept_ra
 * 0;
 *   - the container's end: accept_dad 0, arp_notify 1, up, with address and default route;
 *   - the address in a set of nftables whose rule masquerades (the reference: a chain of its own);
 *   - the port forwards, and neighbours that knew the address elsewhere are told, so that the first
 *     packet arrives.
 * The veth has one queue each way, which is all that the kernel uses of it, and the cheapest: it
 * makes and takes away others unasked. ADD macvlan is the link, born in the namespace in mode
 * bridge, its address, the default route and the announcement. DEL takes the set's element, if
 * there is one, and the link away. Both end when the kernel has answered. Not done, as it is no
 * work for the kernel's network: reading a configuration, choosing and reserving an address,
 * looking whether something exists, locks, a journal, a result. The bridge with its gateway
 * address, forwarding and the table must exist, as they do from the second ADD on. rtnetlink(7);
 * linux/netfilter/nf_tables.h.
 *
 * Build it static, process start is part of the measure: cc -O2 -static -o kernel_only
 * kernel_only.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
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
static int answers; /* that the batch asks for */

static struct nlmsghdr* message(uint16_t type, uint16_t flags, const void* header, size_t size) {
  static uint32_t sequence;
  struct nlmsghdr* m = (struct nlmsghdr*)(batch.bytes + used);
  m->nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
  m->nlmsg_type = type;
  m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
  m->nlmsg_seq = ++sequence;
  memcpy(NLMSG_DATA(m), header, size);
  if ((flags & NLM_F_ACK) != 0) ++answers;
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

static int open_socket(int protocol) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) die("socket", errno);
  return fd;
}

static int send_batch(int fd, const char* what) {
  if (send(fd, batch.bytes, used, 0) < 0) die(what, errno);
  const int asked = answers;
  used = 0;
  answers = 0;
  return asked;
}

static void take_answers(int fd, int count, const char* what) {
  for (; count > 0; --count) {
    char answer[4096];
    const ssize_t size = recv(fd, answer, sizeof answer, 0);
    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr))) die(what, EBADMSG);
    const struct nlmsgerr* error = NLMSG_DATA((struct nlmsghdr*)answer);
    if (error->error != 0) die(what, -error->error);
  }
}

static void commit(int fd, const char* what) { take_answers(fd, send_batch(fd, what), what); }

static void write_sysctl(const char* link, const char* name, const char* value) {
  char path[128];
  snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", link, name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) die(path, errno);
  close(fd);
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

static void put_nfgen(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
  const struct nfgenmsg header = {
      .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
  end_message(message(type, flags, &header, sizeof header));
}

/* A transaction of one element, to be sent. */
static void change_masquerade(uint16_t what, uint16_t flags, const void* address) {
  put_nfgen(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  const struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
  struct nlmsghdr* m = message((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
                               (uint16_t)(NLM_F_ACK | flags), &header, sizeof header);
  attribute(m, NFTA_SET_ELEM_LIST_TABLE, "kernel_only", sizeof "kernel_only");
  attribute(m, NFTA_SET_ELEM_LIST_SET, "masq4", sizeof "masq4");
  struct rtattr* list = attribute(m, NLA_F_NESTED | NFTA_SET_ELEM_LIST_ELEMENTS, NULL, 0);
  struct rtattr* element = attribute(m, NLA_F_NESTED | NFTA_LIST_ELEM, NULL, 0);
  struct rtattr* key = attribute(m, NLA_F_NESTED | NFTA_SET_ELEM_KEY, NULL, 0);
  attribute(m, NFTA_DATA_VALUE, address, 4);
  end_nest(m, key);
  end_nest(m, element);
  end_nest(m, list);
  end_message(m);
  put_nfgen(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

struct veth {
  uint8_t host_mac[6], container_mac[6];
  char host_name[IFNAMSIZ];
};

static void put_one_queue(struct nlmsghdr* m) {
  const uint32_t one = 1;
  attribute(m, IFLA_NUM_TX_QUEUES, &one, sizeof one);
  attribute(m, IFLA_NUM_RX_QUEUES, &one, sizeof one);
}

static struct veth add_veth(int fd, int netns, const char* name, int bridge) {
  struct veth veth;
  uint32_t number;
  if (getrandom(&veth, sizeof veth, 0) != sizeof veth) die("getrandom", errno);
  memcpy(&number, veth.host_name, sizeof number);
  veth.host_mac[0] = veth.container_mac[0] = 0x02;
  const int length = snprintf(veth.host_name, sizeof veth.host_name, "veth%08x", number);

  const struct ifinfomsg up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  const struct ifinfomsg none = {0};
  struct nlmsghdr* m = message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &up, sizeof up);
  attribute(m, IFLA_IFNAME, veth.host_name, (size_t)length + 1);
  attribute(m, IFLA_ADDRESS, veth.host_mac, 6);
  put_one_queue(m);
  attribute(m, IFLA_MASTER, &bridge, sizeof bridge);
  struct rtattr* info = attribute(m, IFLA_LINKINFO, NULL, 0);
  attribute(m, IFLA_INFO_KIND, "veth", 5);
  struct rtattr* data = attribute(m, IFLA_INFO_DATA, NULL, 0);
  struct rtattr* peer = attribute(m, VETH_INFO_PEER, &none, sizeof none);
  attribute(m, IFLA_IFNAME, name, strlen(name) + 1);
  attribute(m, IFLA_ADDRESS, veth.container_mac, 6);
  put_one_queue(m);
  attribute(m, IFLA_NET_NS_FD, &netns, sizeof netns);
  end_nest(m, peer);
  end_nest(m, data);
  end_nest(m, info);
  end_message(m);
  commit(fd, "create veth");
  write_sysctl(veth.host_name, "accept_ra", "0");
  return veth;
}

struct address {
  struct in_addr local;
  unsigned char length;
};

/* "10.1.2.3/16" */
static struct address parse_address(const char* text) {
  char local[INET_ADDRSTRLEN];
  struct address address;
  const char* slash = strchr(text, '/');
  if (slash == NULL || (size_t)(slash - text) >= sizeof local) die(text, EINVAL);
  memcpy(local, text, (size_t)(slash - text));
  local[slash - text] = '\0';
  address.length = (unsigned char)atoi(slash + 1);
  if (inet_pton(AF_INET, local, &address.local) != 1) die(text, EINVAL);
  if (address.length < 1 || address.length > 30) die(text, EINVAL);
  return address;
}

static int configure(int fd, const char* name, const struct address* address, const char* gateway) {
  struct in_addr via;
  if (inet_pton(AF_INET, gateway, &via) != 1) die(gateway, EINVAL);
  const int index = index_of(fd, name);

  const struct ifinfomsg up = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  struct nlmsghdr* m = message(RTM_NEWLINK, NLM_F_ACK, &up, sizeof up);
  struct rtattr* families = attribute(m, NLA_F_NESTED | IFLA_AF_SPEC, NULL, 0);
  struct rtattr* inet = attribute(m, NLA_F_NESTED | AF_INET, NULL, 0);
  struct rtattr* settings = attribute(m, NLA_F_NESTED | IFLA_INET_CONF, NULL, 0);
  const uint32_t on = 1;
  attribute(m, IPV4_DEVCONF_ARP_NOTIFY, &on, sizeof on);
  end_nest(m, settings);
  end_nest(m, inet);
  end_nest(m, families);
  end_message(m);

  const struct ifaddrmsg addr = {
      .ifa_family = AF_INET, .ifa_prefixlen = address->length, .ifa_index = (uint32_t)index};
  const uint32_t broadcast = address->local.s_addr | htonl(0xffffffffU >> address->length);
  m = message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &addr, sizeof addr);
  attribute(m, IFA_LOCAL, &address->local, sizeof address->local);
  attribute(m, IFA_ADDRESS, &address->local, sizeof address->local);
  attribute(m, IFA_BROADCAST, &broadcast, sizeof broadcast);
  end_message(m);

  const struct rtmsg route = {.rtm_family = AF_INET,
                              .rtm_table = RT_TABLE_MAIN,
                              .rtm_protocol = RTPROT_BOOT,
                              .rtm_scope = RT_SCOPE_UNIVERSE,
                              .rtm_type = RTN_UNICAST};
  m = message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, &route, sizeof route);
  attribute(m, RTA_GATEWAY, &via, sizeof via);
  attribute(m, RTA_OIF, &index, sizeof index);
  end_message(m);
  commit(fd, "configure the container's link");
  return index;
}

static void announce(int fd, int index, const uint8_t* mac) {
  const struct ifinfomsg same = {.ifi_index = index};
  struct nlmsghdr* m = message(RTM_SETLINK, NLM_F_ACK, &same, sizeof same);
  attribute(m, IFLA_ADDRESS, mac, 6);
  end_message(m);
  commit(fd, "announce the address");
}

/* The port forwards at once, the host's own entry names the new MAC, the container announces its
 * address. */
static void tell_neighbours(int host, int container, int bridge, int index, const struct veth* veth,
                            const struct address* address) {
  struct ethtool_value carrier = {.cmd = ETHTOOL_GLINK};
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, veth->host_name, IFNAMSIZ);
  request.ifr_data = (char*)&carrier;
  if (ioctl(host, SIOCETHTOOL, &request) != 0) die("ETHTOOL_GLINK", errno);

  const struct ndmsg entry = {.ndm_family = AF_INET, .ndm_ifindex = bridge, .ndm_state = NUD_STALE};
  struct nlmsghdr* m = message(RTM_NEWNEIGH, NLM_F_REPLACE, &entry, sizeof entry);
  attribute(m, NDA_DST, &address->local, sizeof address->local);
  attribute(m, NDA_LLADDR, veth->container_mac, 6);
  end_message(m);
  send_batch(host, "refresh neighbour"); /* no acknowledgement: mostly there is no entry */

  announce(container, index, veth->container_mac);
}

static void add_macvlan(int fd, int netns, const char* name, int master, uint8_t* mac) {
  if (getrandom(mac, 6, 0) != 6) die("getrandom", errno);
  mac[0] = 0x02;
  const struct ifinfomsg none = {0};
  struct nlmsghdr* m =
      message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &none, sizeof none);
  attribute(m, IFLA_IFNAME, name, strlen(name) + 1);
  attribute(m, IFLA_ADDRESS, mac, 6);
  attribute(m, IFLA_LINK, &master, sizeof master);
  attribute(m, IFLA_NET_NS_FD, &netns, sizeof netns);
  struct rtattr* info = attribute(m, IFLA_LINKINFO, NULL, 0);
  attribute(m, IFLA_INFO_KIND, "macvlan", 8);
  struct rtattr* data = attribute(m, IFLA_INFO_DATA, NULL, 0);
  const uint32_t mode = MACVLAN_MODE_BRIDGE;
  attribute(m, IFLA_MACVLAN_MODE, &mode, sizeof mode);
  end_nest(m, data);
  end_nest(m, info);
  end_message(m);
  commit(fd, "create macvlan");
}

static void add_on_master(char** argv, int netns) {
  const struct address address = parse_address(argv[6]);
  uint8_t mac[6];
  const int host = open_socket(NETLINK_ROUTE);
  add_macvlan(host, netns, argv[4], index_of(host, argv[5]), mac);
  enter(netns);
  const int container = open_socket(NETLINK_ROUTE);
  announce(container, configure(container, argv[4], &address, argv[7]), mac);
}

static void add(char** argv, int netns) {
  const struct address address = parse_address(argv[6]);
  const int host = open_socket(NETLINK_ROUTE);
  const int netfilter = open_socket(NETLINK_NETFILTER);
  const int bridge = index_of(host, argv[5]);
  const struct veth veth = add_veth(host, netns, argv[4], bridge);
  enter(netns);
  write_sysctl(argv[4], "accept_dad", "0");
  const int container = open_socket(NETLINK_ROUTE);
  const int index = configure(container, argv[4], &address, argv[7]);
  tell_neighbours(host, container, bridge, index, &veth, &address);
  change_masquerade(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, &address.local);
  commit(netfilter, "masquerade");
}

static void remove_link(char** argv, int netns) {
  enter(netns);
  const int container = open_socket(NETLINK_ROUTE);
  const struct ifinfomsg none = {0};
  struct nlmsghdr* m = message(RTM_DELLINK, NLM_F_ACK, &none, sizeof none);
  attribute(m, IFLA_IFNAME, argv[4], strlen(argv[4]) + 1);
  end_message(m);
  commit(container, "delete link");
}

static void del(char** argv, int netns) {
  const struct address address = parse_address(argv[6]);
  /* Sent before the link's deletion and never closed before it: both then wait for the same grace
   * period of the kernel. */
  const int netfilter = open_socket(NETLINK_NETFILTER);
  change_masquerade(NFT_MSG_DELSETELEM, 0, &address.local);
  const int asked = send_batch(netfilter, "stop the masquerade");
  remove_link(argv, netns);
  take_answers(netfilter, asked, "stop the masquerade");
}

int main(int argc, char** argv) {
  static const struct {
    const char* verb;
    const char* kind;
    void (*work)(char** argv, int netns);
  } ways[] = {{"ADD", "bridge", add},
              {"DEL", "bridge", del},
              {"ADD", "macvlan", add_on_master},
              {"DEL", "macvlan", remove_link}};
  for (size_t i = 0; argc == 8 && i < sizeof ways / sizeof *ways; ++i) {
    if (strcmp(argv[1], ways[i].verb) != 0 || strcmp(argv[2], ways[i].kind) != 0) continue;
    const int netns = open(argv[3], O_RDONLY | O_CLOEXEC);
    if (netns < 0) die(argv[3], errno);
    ways[i].work(argv, netns);
    return 0;
  }
  fputs("usage: kernel_only ADD|DEL bridge|macvlan <netns> <ifname> <link> <addr/len> <gateway>\n",
        stderr);
  return 2;
}
