"""OpenFlow 1.3 by hand, for tests that want to say it wrong, or to be the controller themselves."""
import socket
import struct
import time

import xvs

VERSION = 4
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER, FEATURES_REQUEST, FEATURES_REPLY = range(7)
GET_CONFIG_REQUEST, GET_CONFIG_REPLY, SET_CONFIG, PACKET_IN, FLOW_REMOVED, PORT_STATUS, PACKET_OUT, FLOW_MOD = range(7, 15)
GROUP_MOD, PORT_MOD, TABLE_MOD, MULTIPART_REQUEST, MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY = range(15, 22)
ROLE_REQUEST, ROLE_REPLY = 24, 25
ANY, CONTROLLER, ALL_TABLES, NO_BUFFER = 0xffffffff, 0xfffffffd, 0xff, 0xffffffff


def message(kind, body=b"", xid=0, version=VERSION, length=None):
    return struct.pack("!BBHI", version, kind, 8 + len(body) if length is None else length, xid) + body


def flow_mod(match=b"", instructions=b"", command=0, table=0, priority=0x8000, cookie=0, cookie_mask=0, idle=0, hard=0,
             flags=0, buffer_id=NO_BUFFER, out_port=ANY, out_group=ANY):
    """Body of a flow-mod; match: OXM fields."""
    length = 4 + len(match)
    return (struct.pack("!QQBBHHHIIIH2x", cookie, cookie_mask, table, command, idle, hard, priority, buffer_id, out_port,
                        out_group, flags) + struct.pack("!HH", 1, length) + match + bytes(-length % 8) + instructions)


def apply(*actions):
    data = b"".join(actions)
    return struct.pack("!HH4x", 4, 8 + len(data)) + data


def output(port, max_len=0xffff):
    return struct.pack("!HHIH6x", 0, 16, port, max_len)


def oxm(field, value, width):
    return struct.pack("!HBB", 0x8000, field << 1, width) + value.to_bytes(width, "big")


def in_port(n):
    return oxm(0, n, 4)


class Connection:
    """One OpenFlow connection. `asked` are answers, asynchronous messages collect in `events`."""

    def __init__(self, sock, hello=True):
        self.sock, self.buffer, self.events, self.xid = sock, b"", [], 100
        self.sock.settimeout(5 * xvs.slowness())
        if hello:
            self.sock.sendall(message(HELLO))
            assert self.receive()[0] == HELLO

    @classmethod
    def to(cls, sw, bridge="br0", **options):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"{sw.rundir}/{bridge}.mgmt")
        return cls(sock, **options)

    def send(self, kind, body=b"", **options):
        self.xid += 1
        self.sock.sendall(message(kind, body, self.xid, **options))
        return self.xid

    def receive(self):
        """(type, xid, body) of the next message, or None at the end of the connection."""
        while len(self.buffer) < 8 or len(self.buffer) < struct.unpack_from("!H", self.buffer, 2)[0]:
            data = self.sock.recv(65536)
            if not data:
                return None
            self.buffer += data
        _, kind, length, xid = struct.unpack_from("!BBHI", self.buffer)
        body, self.buffer = self.buffer[8:length], self.buffer[length:]
        return kind, xid, body

    def answer(self, xid):
        """The message that answers xid; others go to events, echo requests are answered."""
        while True:
            got = self.receive()
            assert got, "the switch closed the connection"
            if got[1] == xid and got[0] not in (PACKET_IN, PORT_STATUS, FLOW_REMOVED):
                return got[0], got[2]
            if got[0] == ECHO_REQUEST:
                self.sock.sendall(message(ECHO_REPLY, got[2], got[1]))
            else:
                self.events.append(got)

    def ask(self, kind, body=b"", **options):
        return self.answer(self.send(kind, body, **options))

    def barrier(self):
        kind, _ = self.ask(BARRIER_REQUEST)
        assert kind == BARRIER_REPLY

    def error(self, kind, body=b"", **options):
        """Sends what must be refused; gives (error type, code). The connection goes on."""
        xid = self.send(kind, body, **options)
        answer, data = self.answer(xid)
        assert answer == ERROR, f"answered by message {answer}, not by an error"
        self.barrier()
        return struct.unpack_from("!HH", data)

    def accepted(self, kind, body=b"", **options):
        """Sends what must be taken: no error comes before the barrier's answer."""
        xid = self.send(kind, body, **options)
        barrier = self.send(BARRIER_REQUEST)
        while True:
            got = self.receive()
            assert got, "the switch closed the connection"
            assert not (got[0] == ERROR and got[1] == xid), f"refused with error {struct.unpack_from('!HH', got[2])}"
            if got[1] == barrier:
                return
            self.events.append(got)

    def wait_event(self, kind, timeout=5):
        """The next asynchronous message of this type."""
        end = time.monotonic() + timeout * xvs.slowness()
        while True:
            for event in self.events:
                if event[0] == kind:
                    self.events.remove(event)
                    return event[2]
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            got = self.receive()
            self.sock.settimeout(5 * xvs.slowness())
            assert got, "the switch closed the connection"
            if got[0] == ECHO_REQUEST:
                self.sock.sendall(message(ECHO_REPLY, got[2], got[1]))
            else:
                self.events.append(got)

    def close(self):
        self.sock.close()


class Controller:
    """Listens in this process for switches that connect to unix:PATH; accept() gives a Connection."""

    def __init__(self, path):
        self.target = f"unix:{path}"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(10 * xvs.slowness())

    def accept(self, **options):
        return Connection(self.listener.accept()[0], **options)

    def close(self):
        self.listener.close()
