/** Clients of other protocols. */
import { type Row, row } from "./row.ts";
import { hex, join } from "./wire.ts";

/** Beginnings of other protocols' conversations. */
export const helloRows: readonly Row[] = Object.entries({
  SSH: "SSH-2.0-OpenSSH_9.2\r\n",
  Redis: "*1\r\n$4\r\nPING\r\n",
  "Redis, inline": "PING\r\n",
  PostgreSQL: hex("00000025 00030000 7573657200 726f6f7400 6461746162617365 00 706f737467726573 0000"),
  "PostgreSQL asking for TLS": hex("00000008 04d2162f"),
  SMTP: "EHLO example.org\r\n",
  FTP: "USER anonymous\r\n",
  Telnet: hex("fffd18 fffd20 fffd23 fffd27"),
  MQTT: hex("10 10 0004 4d515454 04 02 003c 0004 74657374"),
  AMQP: join("AMQP", hex("00 00 09 01")),
  memcached: "get somekey\r\n",
  "memcached, binary": hex("80 00 0000 00 00 0000 00000000 00000000 0000000000000000"),
  SOCKS5: hex("05 01 00"),
  RDP: hex("03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00"),
  DNS: hex("001d 1234 0100 0001 0000 0000 0000 076578616d706c65 03636f6d 00 0001 0001"),
  Cassandra: hex("04 00 0000 01 0000 0016 0001 000b 43514c5f56455253494f4e 0005 332e302e30"),
  MongoDB: hex("3a000000 01000000 00000000 d4070000 00000000"),
  LDAP: hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00"),
  SIP: "OPTIONS sip:x SIP/2.0\r\n\r\n",
  BitTorrent: join(0x13, "BitTorrent protocol", Buffer.alloc(48)),
  zeros: Buffer.alloc(4096),
  ones: Buffer.alloc(4096, 0xff),
  "a PROXY line": "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
  "a TLS alert": hex("15 0301 0002 0228"),
}).map(([what, bytes]) => {
  const expected: Record<string, string> = {
    // These begin as a Thrift frame, or as HTTP, may.
    PostgreSQL: "timeout",
    SIP: "http 400 closed",
  };
  return row(
    `the hello of ${what}`,
    "binary",
    expected[what] ?? "closed",
    Buffer.from(bytes as string, "latin1"),
  );
});

/** Hellos that are understood, and refused. */
export const otherHttp: readonly Row[] = [
  row(
    "HTTP/2's preface",
    "http",
    "http2 closed",
    join("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", hex("000000 04 00 00000000")),
  ),
  row(
    "TLS's ClientHello full of noise",
    "binary",
    "tls closed",
    join(hex("16 0301 0200 01 0001fc 0303"), Buffer.alloc(506, 0x5a)),
  ),
  row("a TLS handshake that never goes on", "binary", "timeout", hex("16 0301 0200 01 0001fc 0303 5a5a")),
];
