/** The server's method table: what the service modules offer, and fb303. */
import { type Method, type MethodDescription, MethodTable } from "../calls/method-table.ts";
import type { ServiceDescription } from "../pool/control-messages.ts";
import type { GeneratedMethod } from "../service/generated.ts";

/** Two modules can't be told apart. */
export class DuplicateServiceError extends Error {
  override readonly name = "DuplicateServiceError";
  readonly code = "SLUICE_DUPLICATE_SERVICE";
}

/**
 * Builds the table. Workers number the methods of their modules in the same order, from 0; those of
 * fb303 come behind.
 *
 * @throws {DuplicateServiceError} when two services have one name
 */
export function createMethodTable(
  services: readonly ServiceDescription[],
  local: { readonly name: string; readonly methods: readonly GeneratedMethod[] },
): MethodTable {
  const names = [...services.map(({ name }) => name), local.name];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new DuplicateServiceError(
      `two services are named ${twice}: multiplexed clients could not tell them apart; rename one`,
    );
  }
  const methods: Method[] = [];
  const add = (description: MethodDescription, runs: Method["runs"]): void => {
    methods.push({ ...description, index: methods.length, runs });
  };
  for (const service of services) for (const method of service.methods) add(method, "worker");
  for (const { name, oneway } of local.methods) {
    add({ service: local.name, name, oneway, timeoutMs: 0, idempotent: false }, "main");
  }
  return new MethodTable(methods, services[0]!.name, local.name);
}
