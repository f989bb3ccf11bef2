/** Puts a client together. */
import { onAbort } from "./abort-signals.ts";
import { ClientCall } from "./call.ts";
import { checkCall } from "./call-checks.ts";
import { CallCodec } from "./call-codec.ts";
import { checkHeaders } from "./call-headers.ts";
import { number } from "./checks.ts";
import type { CallOptions, Client, ClientStats, GeneratedClient, MethodsOfClient } from "./client-types.ts";
import { Dispatcher } from "./dispatcher.ts";
import { EndpointSet } from "./endpoint-set.ts";
import { ArgumentsError, ClientOptionError, ClosedError, messageOf } from "./errors.ts";
import { HttpLink } from "./http-link.ts";
import type { Link, LinkSettings, OpenLink } from "./link.ts";
import { type ClientMethod, describeMethods } from "./method-table.ts";
import { registerMetrics } from "./metrics.ts";
import { type CheckedOptions, type ClientOptions, type ClientSeams, checkOptions } from "./options.ts";
import { Resolver } from "./resolver.ts";
import { SocketLink } from "./socket-link.ts";
import { ClientCounts } from "./stats.ts";
import { type ClientTracer, createClientTracer } from "./tracing.ts";

/** Seqids are positive: some servers keep them in fewer bits than they should. */
const largestSeqid = 0x7fffffff;
/** How long connections may take to close once all calls are settled, in ms. */
const closeMs = 500;
const defaultDrainMs = 10_000;
/** Arguments of replies: a client trusts its servers more than they trust their clients. */
const recursionLimit = 64;
const maxContainerElements = 10_000_000;

/**
 * Makes a client of the service that the Thrift compiler generated. It connects when it is first called, and holds
 * connections and timers until `close`.
 *
 * @param generated the generated module of one service, or its `Client` class
 * @param options where the servers are, and how they are called
 * @param seams for tests: clock and chance
 * @throws {ClientOptionError} when an option can't be
 */
export function createClient<G extends GeneratedClient>(
  generated: G,
  options: ClientOptions<keyof MethodsOfClient<G>>,
  seams: ClientSeams = {},
): Client<G> {
  return new ClientCore(generated, options as ClientOptions, seams).facade as Client<G>;
}

class ClientCore {
  readonly facade: object;
  readonly #checked: CheckedOptions;
  readonly #methods: ReadonlyMap<string, ClientMethod>;
  readonly #codec: CallCodec;
  readonly #dispatcher: Dispatcher;
  readonly #endpoints: EndpointSet;
  readonly #resolver: Resolver;
  readonly #counts: ClientCounts;
  readonly #links = new Set<Link>();
  #seqid = 0;
  #closed: Promise<void> | undefined;
  readonly #tracer: ClientTracer | undefined;
  readonly #unregister: (() => void) | undefined;

  constructor(generated: GeneratedClient, options: ClientOptions, seams: ClientSeams) {
    const checked = checkOptions(options, seams);
    const { clock, random, protocol, transport, connectTimeoutMs, stallMs, timeoutMs } = checked;
    this.#checked = checked;
    const { service, methods = {}, retries = {} } = options;
    const generatedClass = "Client" in generated ? generated.Client : generated;
    this.#methods = describeMethods(generatedClass, { service, timeoutMs, methods });
    const limits = { recursionLimit, maxContainerElements };
    this.#codec = new CallCodec(protocol, limits, transport === "framed" ? 4 : 0);
    this.#counts = new ClientCounts(clock);
    this.#dispatcher = new Dispatcher({ clock, random, retries, stallMs, observer: this.#counts });
    this.#endpoints = new EndpointSet({
      clock,
      random,
      codec: this.#codec,
      open: this.#opener(),
      listener: this.#dispatcher,
      seqid: () => this.#nextSeqid(),
      connections: transport === "http" ? 1 : checked.connections,
      probe: checked.probe,
      connectTimeoutMs,
      stallMs,
      slowStartMs: checked.slowStartMs,
    });
    this.#dispatcher.use(this.#endpoints);
    this.#tracer = createClientTracer(service ?? serviceName(generatedClass));
    this.facade = this.#makeFacade();
    this.#resolver = new Resolver(options.endpoints, {
      clock,
      refreshMs: checked.refreshMs,
      found: (addresses) => this.#endpoints.set(addresses),
      failed: (error) => {
        this.#dispatcher.lastTrouble = error;
      },
    });
    try {
      this.#unregister = this.#register(options);
    } catch (error) {
      // Nobody gets this client, and so nobody would close it.
      this.#resolver.stop();
      throw error;
    }
  }

  #register({ metrics, name = "default" }: ClientOptions): (() => void) | undefined {
    if (metrics === undefined) return undefined;
    return registerMetrics(metrics, {
      client: name,
      counts: this.#counts,
      inFlight: () => this.#dispatcher.inFlight,
      endpoints: () => this.#endpoints.all,
    });
  }

  #opener(): OpenLink {
    const { transport, maxReplyBytes, connections } = this.#checked;
    const settings: LinkSettings = {
      ...this.#checked,
      codec: this.#codec,
      limits: {
        maxFrameSizeBytes: maxReplyBytes,
        maxMessageSizeBytes: maxReplyBytes,
        recursionLimit,
        maxContainerElements,
      },
      httpConnections: connections,
    };
    return (address, owner) => {
      const link =
        transport === "http"
          ? new HttpLink(address, owner, settings)
          : new SocketLink(address, owner, settings);
      this.#links.add(link);
      void link.gone.then(() => this.#links.delete(link));
      return link;
    };
  }

  #makeFacade(): object {
    const facade: Record<string | symbol, unknown> = {};
    for (const method of this.#methods.values()) {
      facade[method.name] = (...args: unknown[]): Promise<unknown> => {
        const options =
          args.length > method.arity ? (args[method.arity] as CallOptions | undefined) : undefined;
        return this.#call(method, args, options);
      };
    }
    facade["call"] = (name: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> => {
      const method = this.#methods.get(name);
      if (method === undefined)
        return Promise.reject(new ClientOptionError(`the service has no method ${name}`));
      return this.#call(method, args, options);
    };
    facade["close"] = (options?: { readonly timeoutMs?: number }): Promise<void> => this.#close(options);
    facade["stats"] = (): ClientStats =>
      this.#counts.snapshot(this.#dispatcher.inFlight, this.#endpoints.all);
    facade[Symbol.asyncDispose] = (): Promise<void> => this.#close();
    return facade;
  }

  #call(method: ClientMethod, args: readonly unknown[], options: CallOptions | undefined): Promise<unknown> {
    try {
      checkCall(method, args, options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#tracer === undefined) return this.#make(method, args, options);
    return this.#tracer.traced(method.name, options?.headers, (headers, made) =>
      this.#make(method, args, { ...options, headers }, made),
    );
  }

  /** @param made told of the call when there is one */
  #make(
    method: ClientMethod,
    args: readonly unknown[],
    options: CallOptions | undefined,
    made?: (call: ClientCall) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { timeoutMs = method.timeoutMs, signal, headers } = options ?? {};
      const none = { endpoint: undefined, attempts: 0 };
      if (this.#closed !== undefined) {
        throw new ClosedError("the client is closed; make a new one", false, method.name, none);
      }
      if (signal?.aborted === true) throw signal.reason;
      const seqid = this.#nextSeqid();
      const timing = {
        timeoutMs:
          timeoutMs === method.timeoutMs ? timeoutMs : number("timeoutMs", timeoutMs, 1, 1, 2 ** 31 - 1),
        startedMs: this.#checked.clock.now(),
      };
      let what = "the arguments don't fit the IDL";
      let bytes: Buffer;
      try {
        bytes = this.#codec.encode(method, args, seqid);
        what = "the headers can't be sent";
        if (headers !== undefined) checkHeaders(this.#checked.transport, headers);
      } catch (cause) {
        throw new ArgumentsError(`${what}: ${messageOf(cause)}`, method.name, none, cause);
      }
      const call = new ClientCall(method, seqid, bytes, timing, headers, resolve, reject);
      if (signal !== undefined) {
        call.unlisten = onAbort(signal, () => this.#dispatcher.abort(call, signal.reason));
      }
      made?.(call);
      this.#dispatcher.start(call);
    });
  }

  #nextSeqid(): number {
    this.#seqid = this.#seqid === largestSeqid ? 1 : this.#seqid + 1;
    return this.#seqid;
  }

  #close({ timeoutMs = defaultDrainMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#drainAndEnd(timeoutMs);
    return this.#closed;
  }

  async #drainAndEnd(timeoutMs: number): Promise<void> {
    await this.#dispatcher.drain(timeoutMs);
    this.#resolver.stop();
    this.#endpoints.retire();
    this.#dispatcher.stop();
    // A server that takes what is still to be written lets go at once; another one is not waited for.
    const { clock } = this.#checked;
    const timer = clock.setTimer(clock.now() + closeMs, () => {
      for (const link of this.#links) link.destroy(new Error("the client was closed"));
    });
    await Promise.all([...this.#links].map(({ gone }) => gone));
    timer.cancel();
    this.#unregister?.();
  }
}

/** `LedgerClient` is what the compiler calls the class of the service Ledger. */
function serviceName(generatedClass: unknown): string {
  return (generatedClass as { readonly name?: string }).name?.replace(/Client$/, "") ?? "";
}
