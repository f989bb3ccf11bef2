/** Says what is wrong with a service definition, before anything is made of it. */
import { inspect } from "node:util";
import { nearest } from "../config/nearest.ts";
import type { ServiceDefinition } from "./define.ts";
import { methodNamesOf } from "./generated.ts";
import type { MethodOptions } from "./handler-types.ts";
import type { ProcessResource } from "./resource-types.ts";

/** Says why a definition can't be served. */
export class ServiceDefinitionError extends Error {
  /** For programs; the message is for people. */
  readonly code = "SLUICE_BAD_SERVICE";
  override readonly name = "ServiceDefinitionError";
}

const definitionFields = Object.keys({
  name: true,
  service: true,
  handler: true,
  close: true,
  reload: true,
  methods: true,
  resources: true,
} satisfies Record<keyof ServiceDefinition, true>);

const methodFields = Object.keys({ timeoutMs: true, idempotent: true } satisfies Record<
  keyof MethodOptions,
  true
>);

const resourceFields = Object.keys({ scope: true, open: true, flush: true, close: true } satisfies Record<
  keyof ProcessResource,
  true
>);

/** What timers take, in ms. */
const longestTimeoutMs = 2 ** 31 - 1;

/** @throws {ServiceDefinitionError} naming the service, what is wrong and what is allowed */
export function checkDefinition(definition: ServiceDefinition): void {
  const { name, service, handler, close, reload, methods, resources } = definition ?? {};
  if (typeof name !== "string" || !/^[A-Za-z_][\w.]*$/.test(name)) {
    throw new ServiceDefinitionError(
      `defineService: "name" must be a Thrift identifier, for example "Calc"; got ${JSON.stringify(name)}`,
    );
  }
  if (typeof service?.Processor !== "function" || typeof service?.Client !== "function") {
    throw new ServiceDefinitionError(
      `defineService("${name}"): "service" must be the generated module with Processor and Client; ` +
        `import * as ${name} from "./gen/${name}.js". npx thrift-sluice gen makes it from IDL`,
    );
  }
  const check = new Check(name);
  // First the fields: a handler that is missing may only be misspelt.
  check.fields("", definition, definitionFields);
  if (typeof handler !== "function") {
    throw new ServiceDefinitionError(
      `defineService("${name}"): "handler" must be a function that returns the handler`,
    );
  }
  check.functionIfAny("close", close);
  check.functionIfAny("reload", reload);
  if (methods !== undefined) checkMethods(check, methods, methodNamesOf(service));
  if (resources !== undefined) checkResources(check, resources);
}

function checkMethods(check: Check, methods: object, names: readonly string[]): void {
  check.object("methods", methods);
  for (const [name, options] of Object.entries(methods) as [string, MethodOptions | undefined][]) {
    const path = `methods.${name}`;
    if (!names.includes(name)) check.fail(path, `the service has no such method${meant(name, names)}`);
    if (options === undefined) continue;
    check.object(path, options);
    check.fields(path, options, methodFields);
    const { timeoutMs, idempotent } = options;
    if (
      timeoutMs !== undefined &&
      timeoutMs !== 0 &&
      !(typeof timeoutMs === "number" && timeoutMs >= 1 && timeoutMs <= longestTimeoutMs)
    )
      check.fail(
        `${path}.timeoutMs`,
        `must be a number of milliseconds from 1 to ${longestTimeoutMs}, or 0 for no limit; got ${show(timeoutMs)}`,
      );
    if (idempotent !== undefined && typeof idempotent !== "boolean")
      check.fail(`${path}.idempotent`, `must be true or false; got ${show(idempotent)}`);
  }
}

function checkResources(check: Check, resources: object): void {
  check.object("resources", resources);
  for (const [name, resource] of Object.entries(resources) as [string, ProcessResource][]) {
    const path = `resources.${name}`;
    check.object(path, resource);
    check.fields(path, resource, resourceFields);
    const scope: unknown = resource.scope;
    if (scope !== "process" && scope !== "worker")
      check.fail(`${path}.scope`, `must be "process" or "worker"; got ${show(scope)}`);
    if (typeof resource.open !== "function")
      check.fail(`${path}.open`, `must be a function that returns the instance; got ${show(resource.open)}`);
    check.functionIfAny(`${path}.flush`, resource.flush);
    check.functionIfAny(`${path}.close`, resource.close);
  }
}

/** The checks that all parts share, of one service. */
class Check {
  readonly #service: string;

  constructor(service: string) {
    this.#service = service;
  }

  fail(path: string, what: string): never {
    throw new ServiceDefinitionError(`defineService("${this.#service}"): "${path}": ${what}`);
  }

  object(path: string, value: unknown): void {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      this.fail(path, `must be an object; got ${show(value)}`);
  }

  functionIfAny(path: string, value: unknown): void {
    if (value !== undefined && typeof value !== "function")
      this.fail(path, `must be a function; got ${show(value)}`);
  }

  /** Refuses fields that mean nothing: what is misspelt would be left out silently. */
  fields(path: string, value: object, known: readonly string[]): void {
    const unknown = Object.keys(value).find((field) => !known.includes(field));
    if (unknown === undefined) return;
    this.fail(path === "" ? unknown : `${path}.${unknown}`, `there is no such field${meant(unknown, known)}`);
  }
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  const all = known.join(", ");
  return near === undefined ? `; there are ${all}` : `; did you mean ${near}? There are ${all}`;
}

function show(value: unknown): string {
  return inspect(value, { depth: 0 }).slice(0, 60);
}
