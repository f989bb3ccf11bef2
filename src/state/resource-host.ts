/** Opens, calls, flushes and closes the process resources of all services. Runs on the state thread. */
import type { ServiceDefinition } from "../service/define.ts";
import { runSteps } from "../service/life-steps.ts";
import type { ProcessResource } from "../service/resource-types.ts";
import { messageWithPlace } from "../service/thrown.ts";
import { StateMethodError, StateStartError } from "./errors.ts";
import type { ResourceNames, ResourceReport, StateLogRecord } from "./messages.ts";

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
          const why = messageWithPlace(cause);
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
    const steps = this.#resources
      .toReversed()
      .map((resource) => ({ service: resource.service, what: resource.name, run: () => step(resource) }));
    const { failed, timedOut } = await runSteps(steps, withinMs);
    return {
      failed: failed.map(({ service, what, message }) => ({ service, resource: what, message })),
      timedOut,
    };
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
