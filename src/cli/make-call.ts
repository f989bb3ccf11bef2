/** What `sluice call` does: load the service, read the arguments, call, show the answer. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import thrift from "thrift";
import { parseArguments } from "../config/arguments.ts";
import { nearest } from "../config/nearest.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { type OptionReader, readOptions } from "../config/read-options.ts";
import type { GeneratedService, ServiceDefinition } from "../service/define.ts";
import type { ProtocolName } from "../wire/protocol-names.ts";
import { ArgumentError, MissingFieldError } from "./call-arguments.ts";
import { type Answer, type CallCodec, encodeCall, parameterNames } from "./call-codec.ts";
import { callOnce } from "./call-connection.ts";
import { type Reading, readArguments } from "./call-readings.ts";
import { CallError, type CallTarget } from "./call-target.ts";
import type { TransportName } from "./call-transport.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { declaredMethod } from "./declarations.ts";
import { withEnumNames, withEnumNumbers } from "./enum-names.ts";
import { type Ending, endWith } from "./exit.ts";
import { loadNamedService } from "./named-service.ts";
import { placeName, reachable } from "./reachable.ts";
import { unknownField } from "./unknown-fields.ts";

/** The options that say where the server is. */
type TargetOptions = Readonly<
  Record<
    | "host"
    | "port"
    | "socket"
    | "timeout"
    | "protocol"
    | "transport"
    | "tls"
    | "tlsCa"
    | "tlsCert"
    | "tlsKey"
    | "insecure",
    OptionSpec
  >
>;

/** The exit codes of `sluice call`. */
const callExitCodes = { result: 0, declaredException: 1, noAnswer: 3 } as const;

/**
 * Runs the command.
 *
 * @throws {UsageError} and {OptionError} for mistakes in the command line
 */
export async function makeCall(table: TargetOptions, context: CommandContext): Promise<Ending> {
  const { given, positionals } = parseArguments(table, context.argv);
  const read = readOptions(table, given, { env: context.env, naming: "flag" });
  const [module, method, ...texts] = positionals;
  if (module === undefined) {
    throw new UsageError(
      "which service? sluice call MODULE METHOD [JSON…], for example: sluice call ledger ping",
    );
  }
  const definition = await loadNamedService(module, "sluice call MODULE METHOD [JSON…]");
  const send = findMethod(definition, method);
  const alternatives = readArguments(texts, method!, parameterNames(send));
  try {
    const protocol = read.text("protocol") as ProtocolName;
    return await call(
      { definition, method: method!, protocol },
      alternatives,
      targetOf(read, wantsTls(given)),
      context,
    );
  } catch (error) {
    if (!(error instanceof CallError)) {
      throw error;
    }
    context.err(`sluice: ${error.message}\n`);
    return endWith(callExitCodes.noAnswer);
  }
}

interface Called {
  readonly definition: ServiceDefinition;
  readonly method: string;
  readonly protocol: ProtocolName;
}

async function call(
  { definition, method, protocol }: Called,
  alternatives: readonly Reading[],
  target: CallTarget,
  context: CommandContext,
): Promise<Ending> {
  const encode = (messageName: string): CallCodec =>
    encodeFirst(definition.service, method, messageName, alternatives, protocol);
  let answer = await callOnce(encode(method), target);
  if (isUnknownMethod(answer)) {
    // Safe to send again, for it was not run. A server of several services knows the others' methods by this name.
    const multiplexed = await callOnce(encode(`${definition.name}:${method}`), target);
    answer = isUnknownMethod(multiplexed) ? answer : multiplexed;
  }
  if (answer?.kind === "result") {
    const type = declaredMethod(definition.service, method)?.result;
    answer = { kind: "result", value: withEnumNames(answer.value, type) };
  }
  return show(answer, target.where, context);
}

/**
 * Tries the readings of the arguments in order. When none fits the IDL, the error counts of the first one that fits as
 * far as a part of an argument is looked at: the others take the whole for something else than it is.
 */
function encodeFirst(
  service: GeneratedService,
  method: string,
  messageName: string,
  alternatives: readonly Reading[],
  protocol: ProtocolName,
): CallCodec {
  const types = declaredMethod(service, method)?.parameters ?? [];
  const misfits: { readonly error: ArgumentError; readonly how: string }[] = [];
  for (const { values, names, how } of alternatives) {
    try {
      const given = values.map((value, index) =>
        withEnumNumbers(value, types[index], names[index] ?? `argument ${index + 1}`),
      );
      return encodeCall(service.Client, method, messageName, given, protocol);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      // Misspelt, it is missing under its name.
      const misspelt = error instanceof MissingFieldError ? unknownField(service, method, values) : undefined;
      misfits.push({ error: misspelt ?? error, how });
    }
  }
  const { error, how } = misfits.find(({ error: { path } }) => /[.[]/.test(path ?? ".")) ?? misfits[0]!;
  throw alternatives.length === 1 ? error : new UsageError(`${error.message} (${how})`);
}

function show(answer: Answer | undefined, where: string, { out, err }: CommandContext): Ending {
  switch (answer?.kind) {
    case undefined:
      err("sent; a oneway method has no answer\n");
      return endWith(callExitCodes.result);
    case "result":
      out(`${JSON.stringify(answer.value)}\n`);
      return endWith(callExitCodes.result);
    case "declared":
      err(`${answer.name} ${JSON.stringify(answer.value)}\n`);
      return endWith(callExitCodes.declaredException);
    case "application":
      err(`TApplicationException ${applicationType(answer.type)}: ${answer.message}\n`);
      return endWith(callExitCodes.noAnswer);
    case "unreadable":
      err(
        `sluice: what came from ${where} can't be read: ${answer.cause instanceof Error ? answer.cause.message : answer.cause}\n`,
      );
      return endWith(callExitCodes.noAnswer);
  }
}

function isUnknownMethod(answer: Answer | undefined): boolean {
  return (
    answer?.kind === "application" && answer.type === thrift.Thrift.TApplicationExceptionType.UNKNOWN_METHOD
  );
}

function applicationType(type: number): string {
  const names = Object.entries(thrift.Thrift.TApplicationExceptionType) as [string, unknown][];
  return names.find(([, value]) => value === type)?.[0] ?? `type ${type}`;
}

/** The generated function that sends a method's call. */
function findMethod(
  definition: ServiceDefinition,
  method: string | undefined,
): (...values: never[]) => unknown {
  const members = new Map<string, (...values: never[]) => unknown>();
  for (
    let prototype = definition.service.Client.prototype as object;
    prototype !== Object.prototype && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const member: unknown = Reflect.get(prototype, name);
      if (name.startsWith("send_") && typeof member === "function" && !members.has(name.slice(5))) {
        members.set(name.slice(5), member as never);
      }
    }
  }
  const names = [...members.keys()].join(", ");
  if (method === undefined) {
    throw new UsageError(`which method? ${definition.name} has ${names}`);
  }
  const found = members.get(method);
  if (found === undefined) {
    const meant = nearest(method, members.keys());
    const hint = meant === undefined ? `it has ${names}` : `did you mean ${meant}? It has ${names}`;
    throw new UsageError(`${definition.name} has no method ${method}; ${hint}`);
  }
  return found;
}

/**
 * Any flag of TLS asks for TLS: a call that was to be checked must not go without. Those in the environment don't, for
 * they may be a server's.
 */
function wantsTls(given: object): boolean {
  return ["tlsCa", "tlsCert", "tlsKey", "insecure"].some((key) => key in given) && !("tls" in given);
}

/** @param implied whether the call goes over TLS although no option says so */
function targetOf(read: OptionReader<keyof TargetOptions>, implied: boolean): CallTarget {
  const timeoutMs = read.number("timeout");
  const transport = read.text("transport") as TransportName;
  const path = read.optionalText("socket");
  const host = reachable(read.text("host"));
  const tls = implied || read.flag("tls") ? tlsOf(read, host) : undefined;
  if (path !== undefined) return { connect: { path }, where: path, timeoutMs, transport, tls };
  const port = read.number("port");
  return { connect: { host, port }, where: placeName(host, port), timeoutMs, transport, tls };
}

function tlsOf(read: OptionReader<keyof TargetOptions>, host: string): ConnectionOptions {
  const pem = (key: "tlsCa" | "tlsCert" | "tlsKey"): Buffer | undefined => {
    const path = read.optionalText(key);
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw new UsageError(`${path} can't be read: ${(error as Error).message}`);
    }
  };
  const files = Object.entries({ ca: pem("tlsCa"), cert: pem("tlsCert"), key: pem("tlsKey") });
  return {
    ...Object.fromEntries(files.filter(([, file]) => file !== undefined)),
    // An address is no name that a client may ask for.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: !read.flag("insecure"),
  };
}
