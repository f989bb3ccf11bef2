/** What is called: each library's protocols and transports, and what of it can't be, with the reason. */

/** Where a client connects: plain TCP, TLS on the same port, or a Unix domain socket. */
export type SocketKind = "tcp" | "tls" | "unix";

/** One way to call a server. */
export interface Cell {
  readonly protocol: string;
  readonly transport: string;
  readonly socket: SocketKind;
}

/** Cells that can't be run. What is not named stands for all. */
export interface Gap {
  readonly protocols?: readonly string[];
  readonly transports?: readonly string[];
  readonly sockets?: readonly SocketKind[];
  /** As docs/clients.md tells it. */
  readonly why: string;
}

/** A library, and what it has. */
export interface Library {
  readonly id: LibraryId;
  /** Its name for people, with where it comes from. */
  readonly label: string;
  readonly protocols: readonly string[];
  readonly transports: readonly string[];
  readonly gaps: readonly Gap[];
  /** Checks beyond those that every library passes. */
  readonly extraChecks?: readonly string[];
  /** Where it behaves in a way that a user of it should know. */
  readonly notes?: readonly string[];
}

export type LibraryId = "python" | "thriftpy" | "cpp" | "go" | "java" | "node";

/** What every client checks in every cell; where the protocol is THeader, `headers` too. */
export const checks: readonly string[] = [
  "void",
  "inherited",
  "scalars",
  "i64",
  "text",
  "everything",
  "empty",
  "defaults",
  "optionals",
  "union",
  "recursive",
  "large",
  "declared",
  "undeclared",
  "unknown",
  "oneway",
  "multiplexed",
];

const sockets: readonly SocketKind[] = ["tcp", "tls", "unix"];
const headers = ["header-binary", "header-compact"];
const zippedHeaders = ["header-binary-zlib", "header-compact-zlib"];
const inFrames: Gap = {
  protocols: [...headers, ...zippedHeaders],
  transports: ["framed", "zlib-framed"],
  why: "THeader has frames of its own",
};

export const libraries: readonly Library[] = [
  {
    id: "python",
    label: "Python: Apache Thrift 0.17 (Debian: python3-thrift)",
    protocols: [
      "binary",
      "binary-old",
      "binary-accelerated",
      "compact",
      "compact-accelerated",
      "json",
      ...headers,
      ...zippedHeaders,
    ],
    transports: ["buffered", "framed", "zlib", "zlib-framed", "http"],
    gaps: [
      inFrames,
      { transports: ["http"], sockets: ["unix"], why: "THttpClient has no Unix domain sockets" },
      {
        protocols: ["binary-accelerated", "compact-accelerated"],
        transports: ["zlib"],
        why: "the accelerated protocols wait for what TZlibTransport has already read, when a reply is larger than its buffer",
      },
    ],
    notes: [
      "`TSocket` leaves Nagle's algorithm on: over TCP a call right behind a oneway call waits some 40 ms, unless the socket gets TCP_NODELAY.",
    ],
  },
  {
    id: "thriftpy",
    label: "Python: thriftpy 0.3.9 (Debian: python3-thriftpy)",
    protocols: ["binary", "binary-old", "binary-cython", "compact", "json"],
    transports: ["buffered", "framed"],
    gaps: [
      { protocols: ["compact"], why: "its compact protocol does not run on Python 3.9 and later" },
      { protocols: ["json"], why: "its JSON is a format of its own" },
    ],
    notes: ["`TSSLSocket` checks the certificate's name: connect to a name, not to an address."],
  },
  {
    id: "cpp",
    label: "C++: Apache Thrift 0.17 (Debian: libthrift-dev)",
    protocols: ["binary", "binary-old", "compact", "json", ...headers, ...zippedHeaders],
    transports: ["buffered", "framed", "zlib", "zlib-framed", "http"],
    gaps: [
      inFrames,
      { protocols: zippedHeaders, why: "THeaderTransport's zlib transform does not work in 0.17" },
    ],
    notes: [
      "`THttpClient` does not read the empty answer to a oneway call: close and open it again after one.",
    ],
  },
  {
    id: "go",
    label: "Go: Apache Thrift 0.17 (Debian: golang-thrift-dev)",
    protocols: ["binary", "binary-old", "compact", "json", ...headers, ...zippedHeaders],
    transports: ["buffered", "framed", "zlib", "zlib-framed", "http"],
    gaps: [inFrames],
  },
  {
    id: "java",
    label: "Java: Apache Thrift 0.16 (Debian: libthrift-java)",
    protocols: ["binary", "binary-old", "compact", "json"],
    transports: ["buffered", "framed", "fast-framed", "zlib", "zlib-framed", "http"],
    gaps: [{ transports: ["http"], sockets: ["unix"], why: "THttpClient has no Unix domain sockets" }],
    notes: [
      "Unix domain sockets: `TIOStreamTransport` over the streams of a `SocketChannel` (Java 16 and later).",
    ],
  },
  {
    id: "node",
    label: "Node.js: the npm package thrift 0.24",
    protocols: ["binary", "compact", "json", "header"],
    transports: ["buffered", "framed", "http", "http-framed", "ws", "ws-framed", "xhr", "xhr-framed"],
    gaps: [
      {
        protocols: ["header"],
        why: "its clients send no header: they flush the transport, not the protocol",
      },
      { transports: ["ws", "ws-framed"], sockets: ["unix"], why: "WSConnection has no Unix domain sockets" },
      {
        protocols: ["json"],
        transports: ["xhr-framed"],
        why: "XHRConnection reads JSON as text, in which a frame's length does not survive",
      },
      { transports: ["xhr", "xhr-framed"], sockets: ["unix"], why: "browsers have no Unix domain sockets" },
    ],
    extraChecks: ["callbacks"],
    notes: [
      "In compact it reads each bool within a list or map as false.",
      "It reads i64 keys of maps as numbers, so not beyond 2^53.",
      "`xhr` was run over a stand-in for the browser's XMLHttpRequest.",
    ],
  },
];

/** A library by its name. */
export function libraryOf(id: LibraryId): Library {
  return libraries.find((library) => library.id === id)!;
}

/** A cell as clients read it, and as the record of what passed names it. */
export function nameOf({ protocol, transport, socket }: Cell): string {
  return `${protocol} ${transport} ${socket}`;
}

/** The cells that a library's client runs. */
export function offeredBy(library: Library): Cell[] {
  return library.protocols.flatMap((protocol) =>
    library.transports.flatMap((transport) =>
      sockets
        .map((socket): Cell => ({ protocol, transport, socket }))
        .filter((cell) => gapOf(library, cell) === undefined),
    ),
  );
}

/** Why a cell can't be run; undefined when it can. */
export function gapOf({ gaps }: Library, cell: Cell): Gap | undefined {
  return gaps.find(
    ({ protocols, transports, sockets }) =>
      (protocols?.includes(cell.protocol) ?? true) &&
      (transports?.includes(cell.transport) ?? true) &&
      (sockets?.includes(cell.socket) ?? true),
  );
}

/** What has to be checked in a cell. */
export function checksOf({ extraChecks = [] }: Library, { protocol }: Cell): string[] {
  return [...checks, ...extraChecks, ...(protocol.startsWith("header") ? ["headers"] : [])];
}
