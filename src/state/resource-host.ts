/** Opens, calls, flushes and closes the process resources of all services. Runs on the state thread. */
import type { ServiceDefinition } from "../service/define.ts";
import type { ProcessResource } from "../service/resource-types.ts";
import { StateMethodError, StateStartError } from "./errors.ts";
import type { ResourceFailure, ResourceNames, ResourceReport, StateLogRecord } from "./messages.ts";

type Method = (...args: unknown[]) => unknown;

interface OpenResource {
  readonly service: string;
  readonly name: string;
  readonly definition: ProcessResource;
  readonly instance: unknown;
  readonly methods: ReadonlyMap<string, Method>;
}

/** How long resources may take to close when another one's open has failed, in ms. */
const closeAfterFailureMs = 5_000;

/** The opened process resources, in the order of their opening. */
export class ResourceHost {
  readonly #resources: OpenResource[] = [];

  /**
   * Opens every service's process resources: services in order, resources as listed.
   *
   * @throws {StateStartError} when one can't be opened; those opened before it are closed again
   */
  static async open(
    services: readonly ServiceDefinition[],
    settings: Readonly<Record<string, string>>,
    log: (record: StateLogRecord) => void,
  ): Promise<ResourceHost> {
    const host = new ResourceHost();
    for (const service of services) {
      for (const [name, definition] of Object.entries(service.resources ?? {})) {
        if (definition.scope !== "process") continue;
        try {
          await host.#openOne(service.name, name, definition, settings, log);
        } catch (cause) {
          await host.close(closeAfterFailureMs);
          const why = cause instanceof Error ? cause.message : String(cause);
          const message = `the resource "${name}" of the service ${service.name} does not open: ${why}`;
          throw new StateStartError(message, service.name, name, cause);
        }
      }
    }
    return host;
  }

  async #openOne(
    service: string,
    name: string,
    definition: ProcessResource,
    settings: Readonly<Record<string, string>>,
    log: (record: StateLogRecord) => void,
  ): Promise<void> {
    const instance = await definition.open({
      settings,
      log: (level, message, fields) =>
        log({ level, message, fields: { service, resource: name, ...fields } }),
    });
    const methods = methodsOf(instance, definition);
    this.#resources.push({ service, name, definition, instance, methods });
  }

  /** Which resources exist. */
  get names(): ResourceNames {
    const names: Record<string, string[]> = {};
    for (const { service, name } of this.#resources) {
      names[service] ??= [];
      names[service].push(name);
    }
    return names;
  }

  /**
   * Calls a method, with the resource's place in `names` read from first to last.
   *
   * @throws {StateMethodError} when there is no such method, and whatever the method throws
   */
  call(resource: number, method: string, args: unknown[]): unknown {
    const open = this.#resources[resource];
    const callee = open?.methods.get(method);
    if (callee === undefined) throw unknownMethod(open, method);
    return Reflect.apply(callee, open?.instance, args);
  }

  /** Flushes all resources in reverse order of opening. One that fails or hangs does not keep the others from it. */
  flush(withinMs: number): Promise<ResourceReport> {
    return this.#inReverse(withinMs, (resource) => resource.definition.flush?.(resource.instance));
  }

  /** Closes all resources in reverse order of opening, and forgets them. */
  async close(withinMs: number): Promise<ResourceReport> {
    const report = await this.#inReverse(withinMs, (resource) =>
      resource.definition.close?.(resource.instance),
    );
    this.#resources.length = 0;
    return report;
  }

  async #inReverse(
    withinMs: number,
    step: (resource: OpenResource) => void | Promise<void>,
  ): Promise<ResourceReport> {
    const deadlineMs = performance.now() + withinMs;
    const failed: ResourceFailure[] = [];
    let timedOut = false;
    for (let left = this.#resources.length; left > 0; left--) {
      const resource = this.#resources[left - 1];
      if (resource === undefined) continue;
      // An even share of what is left, so that one that hangs leaves the rest their time.
      const shareMs = Math.max(0, (deadlineMs - performance.now()) / left);
      const message = await settleWithin(shareMs, () => step(resource));
      if (message === undefined) continue;
      if (message === hung) timedOut = true;
      const text = message === hung ? `did not finish within ${Math.round(shareMs)} ms` : message;
      failed.push({ service: resource.service, resource: resource.name, message: text });
    }
    return { failed, timedOut };
  }
}

const hung: unique symbol = Symbol("hung");

/** Undefined when the step succeeds in time, its error's message when it fails, `hung` when it does neither. */
async function settleWithin(
  ms: number,
  step: () => void | Promise<void>,
): Promise<string | typeof hung | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<typeof hung>((resolve) => {
      timer = setTimeout(resolve, ms, hung);
    });
    return await Promise.race([Promise.resolve(step()).then(() => undefined), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What handlers may call: functions on the instance and its prototype chain below Object.prototype, except
 * constructors, names that begin with `_`, and `flush` and `close` where the definition has a life-cycle
 * step of that name. Accessors are not read.
 */
function methodsOf(instance: unknown, definition: ProcessResource): Map<string, Method> {
  const methods = new Map<string, Method>();
  if (typeof instance !== "object" || instance === null) return methods;
  let level: object | null = instance;
  while (level !== null && level !== Object.prototype) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      const lifeCycle =
        (name === "flush" && definition.flush !== undefined) ||
        (name === "close" && definition.close !== undefined);
      const hidden = lifeCycle || name === "constructor" || name.startsWith("_") || methods.has(name);
      if (!hidden && typeof property.value === "function") methods.set(name, property.value as Method);
    }
    level = Object.getPrototypeOf(level) as object | null;
  }
  return methods;
}

function unknownMethod(open: OpenResource | undefined, method: string): StateMethodError {
  if (open === undefined) return new StateMethodError(`there is no such process resource (for ${method}())`);
  const known = [...open.methods.keys()].sort().join(", ") || "none";
  return new StateMethodError(
    `the resource "${open.name}" of the service ${open.service} has no method "${method}"; it has: ${known}`,
  );
}
