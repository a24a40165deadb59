#!/usr/bin/python3
# Another maker's reading of DHCPv4, for scapy_test.cc. A line a message:
#   scapy_oracle.py parse         reads messages in hex, says what scapy finds in them
#   scapy_oracle.py build SEED N  makes N messages, says each in hex and what is in it
import random
import sys

try:
    from scapy.layers.dhcp import BOOTP, DHCP, DHCPRevOptions
except ImportError:
    sys.exit(77)


def address(number):
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def number_of(name):
    return name if isinstance(name, int) else DHCPRevOptions[name][0]


def text(value):
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def describe(message):
    fields = [
        f"op={message.op}", f"xid={message.xid}", f"secs={message.secs}", f"flags={int(message.flags)}",
        f"ciaddr={message.ciaddr}", f"yiaddr={message.yiaddr}", f"giaddr={message.giaddr}",
        f"chaddr={message.chaddr[:6].hex()}",
    ]
    options = {}
    for option in message[DHCP].options:
        if option == "end":
            break
        if option == "pad":
            continue
        values = option[1] if isinstance(option[1], list) else option[1:]
        options[number_of(option[0])] = ",".join(text(value) for value in values)
    return " ".join(fields + [f"{code}={value}" for code, value in sorted(options.items())])


def parse():
    for line in sys.stdin:
        print(describe(BOOTP(bytes.fromhex(line))))


def build(seed, count):
    chance = random.Random(seed)
    ip = lambda: address(chance.getrandbits(32))
    ips = lambda: [ip() for _ in range(chance.randint(1, 4))]
    word = lambda: bytes(chance.choice(b"abcxyz-.09") for _ in range(chance.randint(1, 60)))
    number = lambda bits: [chance.getrandbits(bits)]

    def routes():
        found = []
        for _ in range(chance.randint(1, 5)):
            length = chance.randint(0, 32)
            mask = (0xFFFFFFFF << 32 - length) & 0xFFFFFFFF
            found.append(f"{address(chance.getrandbits(32) & mask)}/{length}:{ip()}")
        return [found]

    makers = {
        "subnet_mask": lambda: [ip()], "router": ips, "name_server": ips, "hostname": lambda: [word()],
        "domain": lambda: [word()], "interface-mtu": lambda: number(16), "broadcast_address": lambda: [ip()],
        "NTP_server": ips, "lease_time": lambda: number(32), "server_id": lambda: [ip()],
        "error_message": lambda: [word()], "renewal_time": lambda: number(32),
        "rebinding_time": lambda: number(32), "vendor_class_id": lambda: [word()],
        "client_id": lambda: [word()], "user_class": lambda: [word()], "classless_static_routes": routes,
        224: lambda: [word()],
    }
    for _ in range(count):
        options = [("message-type", chance.randint(1, 8))]
        names = list(makers)
        chance.shuffle(names)
        for name in names[: chance.randint(0, len(names))]:
            options += ["pad"] * chance.randint(0, 2)
            options.append((name, *makers[name]()))
        message = BOOTP(
            op=chance.randint(1, 2), xid=chance.getrandbits(32), secs=chance.getrandbits(16),
            flags=chance.choice((0, 0x8000)), ciaddr=ip(), yiaddr=ip(), giaddr=ip(),
            chaddr=bytes(chance.getrandbits(8) for _ in range(6)),
        ) / DHCP(options=options + ["end"])
        raw = bytes(message)
        print(raw.hex(), describe(BOOTP(raw)))


if sys.argv[1] == "parse":
    parse()
else:
    build(int(sys.argv[2]), int(sys.argv[3]))
