/** `sluice call`: one call from a terminal. */
import type { CountOption, OptionSpec } from "../config/option-kinds.ts";
import { options } from "../config/options.ts";
import { protocolNames } from "../wire/protocol-names.ts";
import { transportNames } from "./call-transport.ts";
import type { Command } from "./command.ts";

/** Its options. */
const callOptions = {
  host: { ...options.host, help: "where the server is" },
  port: { ...(options.port as CountOption), min: 1, help: "the server's port" },
  socket: { ...options.socket, help: "the server's Unix domain socket, instead of host and port" },
  protocol: {
    kind: "choice",
    fallback: "binary",
    choices: protocolNames,
    help: "how the message is encoded",
  },
  transport: {
    kind: "choice",
    fallback: "framed",
    choices: transportNames,
    help: "how it travels; header is THeader",
  },
  tls: { kind: "flag", fallback: false, help: "over TLS; the flags below ask for it, too" },
  tlsCa: { ...options.tlsCa, help: "trust what these certificates signed, instead of the system's" },
  tlsCert: { ...options.tlsCert, help: "the client's own certificate, where the server wants one" },
  tlsKey: { ...options.tlsKey, help: "its private key" },
  insecure: { kind: "flag", fallback: false, help: "accept any certificate of the server" },
  timeout: {
    kind: "duration",
    fallback: 30_000,
    min: 1,
    max: 86_400_000,
    help: "how long to wait for the answer",
  },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const callCommand: Command = {
  name: "call",
  usage: "MODULE METHOD [JSON…]",
  summary: "one call from a terminal",
  description: `Calls a method of the service that MODULE declares (the word ledger stands for the reference ledger).
Arguments are one JSON value each, or one JSON list by position, or one JSON object by name when there are several. A
list for a method's only argument is that argument when it fits. A word that is no JSON is a text. i64 are numbers or
texts, binary is base64, structs and maps are objects, enums numbers, or names where the generated code has its .d.ts
files beside it; then results have them, too.

  sluice call ledger post '{"id":"e1","debit":"cash","credit":"rent","amount":1200}'
  sluice call ledger entries cash 0 10
  sluice call --tls-ca ca.pem --transport http --protocol json ledger balance rent
  sluice methods ledger                       lists what can be called

The result is one line of JSON on stdout. Exits with 0 for a result, 1 for an exception that the IDL declares, 2 for a
mistake in the command, and 3 when there was no connection, no answer, or a TApplicationException.`,
  options: callOptions,
  async run(context) {
    // Loaded here, for the thrift package takes longer to load than all else.
    const { makeCall } = await import("./make-call.ts");
    return makeCall(callOptions, context);
  },
};
