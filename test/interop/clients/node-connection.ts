/** Each kind of connection that the npm library has. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import thrift from "thrift";
import { RequestObject } from "./xml-http-request.ts";

/** The package's own types do not know half of what is used here. */
// biome-ignore lint/suspicious/noExplicitAny: untyped on purpose
export type Any = any;

export const library: Any = thrift;

const host = "127.0.0.1";
const [port = "", unixPath = "", caFile = ""] = process.argv.slice(2);
const ca = readFileSync(caFile);
Object.assign(globalThis, { XMLHttpRequest: RequestObject });

const protocols: Readonly<Record<string, Any>> = {
  binary: library.TBinaryProtocol,
  compact: library.TCompactProtocol,
  json: library.TJSONProtocol,
};

/** An open connection. */
export interface Peer {
  readonly connection: Any;
  /** The library's function that makes a client on it. */
  readonly createClient: Any;
  close(): void;
}

/**
 * Opens a connection.
 *
 * @param failed is told of its errors, then and later: the library itself would leave calls waiting for ever
 */
export async function open(
  protocol: string,
  transport: string,
  socket: string,
  failed: PromiseWithResolvers<never>,
): Promise<Peer> {
  const framed = transport.endsWith("framed");
  const options = {
    protocol: protocols[protocol],
    transport: framed ? library.TFramedTransport : library.TBufferedTransport,
  };
  const { connection, createClient, opened, close } = kinds[transport.replace(/-?framed/, "")]!(
    options,
    socket,
  );
  connection.on("error", (error: unknown) => failed.reject(error));
  if (opened === "open") connection.open();
  if (opened !== undefined) await Promise.race([once(connection, opened), failed.promise]);
  return { connection, createClient, close };
}

interface Made extends Peer {
  /** The event that says that it is open. */
  readonly opened?: string;
}

const kinds: Readonly<Record<string, (options: object, socket: string) => Made>> = {
  buffered: overSocket,
  "": overSocket,
  http(options, socket) {
    const given = { ...options, path: "/thrift", https: socket === "tls", nodeOptions: { ca } };
    const connection =
      socket === "unix"
        ? library.createHttpUDSConnection(unixPath, given)
        : library.createHttpConnection(host, Number(port), given);
    return { connection, createClient: library.createHttpClient, close() {} };
  },
  xhr(options, socket) {
    const given = { ...options, path: "/thrift", https: socket === "tls" };
    const connection = library.createXHRConnection(host, Number(port), given);
    return { connection, createClient: library.createXHRClient, close() {} };
  },
  ws(options, socket) {
    const given = { ...options, path: "/thrift", secure: socket === "tls", wsOptions: { ca } };
    const connection = library.createWSConnection(host, Number(port), given);
    return {
      connection,
      createClient: library.createWSClient,
      opened: "open",
      close: () => connection.close(),
    };
  },
};

function overSocket(options: object, socket: string): Made {
  const creators: Readonly<Record<string, () => Any>> = {
    tcp: () => library.createConnection(host, Number(port), options),
    tls: () => library.createSSLConnection(host, Number(port), { ...options, ca }),
    unix: () => library.createUDSConnection(unixPath, options),
  };
  const connection = creators[socket]!();
  return {
    connection,
    createClient: library.createClient,
    opened: "connect",
    close: () => connection.destroy(),
  };
}
