/** The services of one worker: their modules, resources and handlers, from opening to closing. */
import type { ServiceDescription } from "../pool/control-messages.ts";
import type { LogFunction, ServiceContext, ServiceDefinition } from "../service/define.ts";
import { type GeneratedMethod, methodsOf } from "../service/generated.ts";
import { checkHandler, withSurplusParameters } from "../service/handler-errors.ts";
import type { LifeStep } from "../service/life-steps.ts";
import { loadService } from "../service/load.ts";
import type { WorkerResource } from "../service/resource-types.ts";
import { messageWithPlace } from "../service/thrown.ts";
import type { ResourceProxies } from "../state/state-client.ts";

/** A worker resource that is open. */
interface OpenResource {
  readonly name: string;
  readonly definition: WorkerResource;
  readonly instance: unknown;
}

/** What a service's context can do beyond reading. */
export interface ContextLink {
  readonly worker: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: LogFunction;
  published(service: number): unknown;
  onPublish(service: number, listener: (value: unknown) => void): void;
  publish(service: number, value: unknown): Promise<void>;
}

/** A part of a service could not be made in a worker. The message names both and says why and where. */
export class ServiceOpenError extends Error {
  override readonly name = "ServiceOpenError";
  readonly code = "SLUICE_SERVICE_OPEN";

  constructor(part: string, service: string, cause: unknown) {
    super(`${part} of the service ${service} fails: ${messageWithPlace(cause)}`, { cause });
  }
}

/** One service in one worker. */
export class WorkerService {
  readonly definition: ServiceDefinition;
  readonly methods: readonly GeneratedMethod[];
  handler: object = {};
  readonly #open: OpenResource[] = [];

  constructor(definition: ServiceDefinition) {
    this.definition = definition;
    this.methods = methodsOf(definition.service);
  }

  /** Loads a module. */
  static async load(module: string): Promise<WorkerService> {
    return new WorkerService(await loadService(module));
  }

  describe(): ServiceDescription {
    const { name, methods: options = {}, resources = {} } = this.definition;
    const byName = options as Record<string, { timeoutMs?: number; idempotent?: boolean } | undefined>;
    return {
      name,
      flushes: Object.entries(resources)
        .filter(([, { scope, flush }]) => scope === "worker" && flush !== undefined)
        .map(([resource]) => resource),
      methods: this.methods.map((method) => ({
        service: name,
        name: method.name,
        oneway: method.oneway,
        timeoutMs: byName[method.name]?.timeoutMs ?? 0,
        idempotent: byName[method.name]?.idempotent ?? false,
      })),
    };
  }

  /**
   * Opens the worker resources and makes the handler.
   *
   * @throws {ServiceOpenError} when one of them fails; {@link NoHandlerError}, {@link MissingMethodsError}
   */
  async open(index: number, link: ContextLink, proxies: ResourceProxies): Promise<void> {
    const { name, resources = {}, handler } = this.definition;
    const opened: Record<string, unknown> = { ...proxies[name] };
    for (const [resource, definition] of Object.entries(resources)) {
      if (definition.scope !== "worker") continue;
      const instance = await this.#make(`the worker resource "${resource}"`, () =>
        definition.open({ settings: link.settings, log: link.log }),
      );
      this.#open.push({ name: resource, definition, instance });
      opened[resource] = instance;
    }
    const context: ServiceContext = {
      name,
      worker: link.worker,
      settings: link.settings,
      resources: opened as ServiceContext["resources"],
      get published() {
        return link.published(index);
      },
      onPublish: (listener) => link.onPublish(index, listener),
      publish: (value) => link.publish(index, value),
      log: link.log,
    };
    const made: unknown = await this.#make("the handler factory", () => handler(context));
    const names = this.methods.map((method) => method.name);
    checkHandler(name, names, made);
    this.handler = made;
    const surplus = withSurplusParameters(this.methods, made);
    if (surplus.length > 0 && link.worker === 0) {
      link.log("warn", "handlers are given no callback: they return the result, or a promise of it", {
        service: name,
        methods: surplus,
      });
    }
  }

  async #make<T>(part: string, make: () => T | Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (cause) {
      throw new ServiceOpenError(part, this.definition.name, cause);
    }
  }

  reloadStep(): LifeStep {
    return this.#step("reload", () => this.definition.reload?.(this.handler as never));
  }

  /** Flushes the worker resources, in reverse order of opening: what was opened later may use what was before. */
  flushSteps(): LifeStep[] {
    return this.#open
      .toReversed()
      .map(({ name, definition, instance }) => this.#step(name, () => definition.flush?.(instance)));
  }

  /** Closes the handler, then the worker resources in reverse. */
  closeSteps(): LifeStep[] {
    return [
      this.#step("handler", () => this.definition.close?.(this.handler as never)),
      ...this.#open
        .toReversed()
        .map(({ name, definition, instance }) => this.#step(name, () => definition.close?.(instance))),
    ];
  }

  #step(what: string, run: () => unknown): LifeStep {
    return { service: this.definition.name, what, run };
  }
}
