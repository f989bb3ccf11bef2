/** What a person at a console is told once the server listens. */
import { extname, join } from "node:path";
import { ledgerWord } from "./module-path.ts";
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

/**
 * The text for stderr.
 *
 * @param module the first module as the user named it; for the word `ledger` there is a ready example
 */
export function welcome(addresses: Addresses, module: string): string {
  const { host, port, socket, adminHost, adminPort } = addresses;
  const installedHere = import.meta.filename.startsWith(join(process.cwd(), "node_modules", "/"));
  // Only in a checkout is it sure that npx knows the short name: elsewhere it could take it for a package's.
  const sluice =
    extname(import.meta.filename) === ".ts" ? "npx sluice" : installedHere ? "npx thrift-sluice" : "sluice";
  const at =
    socket === undefined
      ? flags([
          ["host", host, "127.0.0.1"],
          ["port", port, 9090],
        ])
      : ` --socket ${shellWord(socket)}`;
  const adminAt = flags([
    ["admin-host", adminHost, "127.0.0.1"],
    ["admin-port", adminPort, 9091],
  ]);
  const callIt =
    module === ledgerWord
      ? `${sluice} call${at} ${ledgerWord} post '{"id":"e1","debit":"cash","credit":"rent","amount":1200}'`
      : `${sluice} call${at} ${shellWord(module)} METHOD 'JSON…'`;
  const transport =
    socket === undefined
      ? `TSocket.TSocket(${JSON.stringify(host)}, ${port})`
      : `TSocket.TSocket(unix_socket=${JSON.stringify(socket)})`;
  return `
Sluice listens for Thrift clients on ${socket ?? `${host}:${port}`}.
  call it      ${callIt}
  from Python  TBinaryProtocol.TBinaryProtocol(TTransport.TFramedTransport(${transport}))
  look at it   ${sluice} status${adminAt}    http://${adminHost.includes(":") ? `[${adminHost}]` : adminHost}:${adminPort}/
  stop it      Ctrl-C, kill ${process.pid}, or ${sluice} drain${adminAt}

`;
}

/** The flags that differ from their defaults. */
function flags(given: readonly (readonly [string, string | number, string | number])[]): string {
  return given
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => ` --${name} ${value}`)
    .join("");
}
