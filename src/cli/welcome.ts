/** What a person at a console is told once the server listens. */
import { extname, join } from "node:path";
import { isLoopbackAddress } from "../admin/guard.ts";
import type { Config } from "../config/config.ts";
import { ledgerWord } from "./module-path.ts";
import { placeName, reachable } from "./reachable.ts";
import { shellWord } from "./shell-word.ts";

/** Where a server is found. */
export interface Addresses {
  readonly host: string;
  readonly port: number;
  /** When it listens on a Unix domain socket instead. */
  readonly socket?: string | undefined;
  readonly adminHost: string;
  readonly adminPort: number;
}

/** What a caller has to bring. */
export type Demands = Pick<Config, "adminToken" | "plaintext" | "tls">;

/**
 * The text for stderr. It shows no secret.
 *
 * @param module the first module as the user named it; for the word `ledger` there is a ready example
 */
export function welcome(addresses: Addresses, module: string, demands: Demands): string {
  const { host, port, socket, adminHost, adminPort } = addresses;
  const sluice = ownName();
  const adminAt = flags([
    ["admin-host", reachable(adminHost), "127.0.0.1"],
    ["admin-port", adminPort, 9091],
  ]);
  const called = `${sluice} call${callFlags(addresses, demands)}`;
  const callIt =
    module === ledgerWord
      ? `${called} ${ledgerWord} post '{"id":"e1","debit":"cash","credit":"rent","amount":1200}'`
      : `${called} ${shellWord(module)} METHOD 'JSON…'`;
  const drain = `${sluice} drain${adminAt}${demands.adminToken === undefined ? "" : " --admin-token TOKEN"}`;
  // Beyond loopback nobody may ask for a drain without a token.
  const mayAsk = demands.adminToken !== undefined || isLoopbackAddress(adminHost);
  const stopIt = mayAsk ? `Ctrl-C, kill ${process.pid}, or ${drain}` : `Ctrl-C or kill ${process.pid}`;
  return `
Sluice listens for Thrift clients on ${socket ?? placeName(host, port)}.
  call it      ${callIt}
  from Python  TBinaryProtocol.TBinaryProtocol(TTransport.TFramedTransport(${pythonSocket(addresses, demands)}))
  look at it   ${sluice} status${adminAt}    http://${placeName(reachable(adminHost), adminPort)}/
  stop it      ${stopIt}

`;
}

/** How this command is run. */
function ownName(): string {
  const installedHere = import.meta.filename.startsWith(join(process.cwd(), "node_modules", "/"));
  // Only in a checkout is it sure that npx knows the short name: elsewhere it could take it for a package's.
  return extname(import.meta.filename) === ".ts"
    ? "npx sluice"
    : installedHere
      ? "npx thrift-sluice"
      : "sluice";
}

function callFlags({ host, port, socket }: Addresses, demands: Demands): string {
  const at =
    socket === undefined
      ? flags([
          ["host", reachable(host), "127.0.0.1"],
          ["port", port, 9090],
        ])
      : ` --socket ${shellWord(socket)}`;
  if (demands.plaintext !== "refuse") return at;
  // No certificate has the name of this machine's own loopback or socket.
  const local = socket !== undefined || isLoopbackAddress(reachable(host));
  const certificate = demands.tls?.ca === undefined ? "" : " --tls-cert FILE --tls-key FILE";
  return `${at} --tls${local ? " --insecure" : ""}${certificate}`;
}

function pythonSocket({ host, port, socket }: Addresses, demands: Demands): string {
  const at =
    socket === undefined
      ? `${JSON.stringify(reachable(host))}, ${port}`
      : `unix_socket=${JSON.stringify(socket)}`;
  if (demands.plaintext !== "refuse") return `TSocket.TSocket(${at})`;
  const certificate = demands.tls?.ca === undefined ? "" : ', certfile="FILE", keyfile="FILE"';
  return `TSSLSocket.TSSLSocket(${at}, cert_reqs=ssl.CERT_NONE${certificate})`;
}

/** The flags that differ from their defaults. */
function flags(given: readonly (readonly [string, string | number, string | number])[]): string {
  return given
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => ` --${name} ${value}`)
    .join("");
}
