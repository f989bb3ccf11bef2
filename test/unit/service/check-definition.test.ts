import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Ledger from "../../../gen/Ledger.js";
import { ServiceDefinitionError } from "../../../src/service/check-definition.ts";
import { defineService } from "../../../src/service/define.ts";

/** The definition of a service that nobody serves, with what a program without types may write. */
function define(given: Record<string, unknown>): unknown {
  return defineService({ name: "Ledger", service: Ledger, handler: () => ({}), ...given } as never);
}

function refused(given: Record<string, unknown>, message: RegExp): void {
  assert.throws(
    () => define(given),
    (error) => {
      assert.ok(error instanceof ServiceDefinitionError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

const open = (): object => ({});

describe("a service definition", () => {
  it("may say all that there is to say", () => {
    const resources = {
      store: { scope: "process", open, flush() {}, close() {} },
      cache: { scope: "worker", open, flush: undefined },
    };
    const methods = { post: { timeoutMs: 1, idempotent: true }, ping: { timeoutMs: undefined }, track: {} };
    define({ close() {}, reload() {}, resources, methods });
    define({ close: undefined, methods: undefined, resources: {} });
  });

  it("needs a name, a service and a handler", () => {
    refused({ name: "a b" }, /"name" must be a Thrift identifier, for example "Calc"; got "a b"$/);
    refused({ service: {} }, /"service" must be the generated module with Processor and Client/);
    refused({ handler: {} }, /"handler" must be a function that returns the handler$/);
    assert.throws(() => defineService(undefined as never), /"name" must be/);
  });

  it("has no field that means nothing", () => {
    refused(
      { methds: {} },
      /^defineService\("Ledger"\): "methds": there is no such field; did you mean methods\? There are name, service, /,
    );
    refused({ resource: {} }, /did you mean resources\?/);
    refused({ handler: undefined, handlr: open }, /"handlr": .*did you mean handler\?/);
    refused({ quite: 1 }, /"quite": there is no such field; there are name, service, handler, /);
    refused({ close: 1 }, /"close": must be a function; got 1$/);
  });

  it("has options for methods that the service has", () => {
    refused(
      { methods: { pst: {} } },
      /^defineService\("Ledger"\): "methods\.pst": the service has no such method; did you mean post\? There are audit, /,
    );
    refused({ methods: [] }, /"methods": must be an object; got \[\]$/);
    refused({ methods: { post: 5 } }, /"methods\.post": must be an object; got 5$/);
    refused(
      { methods: { post: { timeout: 5 } } },
      /"methods\.post\.timeout": there is no such field; did you mean timeoutMs\? There are timeoutMs, idempotent$/,
    );
  });

  for (const timeoutMs of ["5s", -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, null, 5n])
    it(`has no timeout of ${typeof timeoutMs} ${timeoutMs}`, () => {
      refused(
        { methods: { post: { timeoutMs } } },
        /"methods\.post\.timeoutMs": must be a number of milliseconds from 1 to 2147483647, or 0 for no limit; got /,
      );
    });

  it("says of a method that it is idempotent by a boolean", () => {
    refused({ methods: { post: { idempotent: "yes" } } }, /idempotent": must be true or false; got 'yes'$/);
  });

  it("has resources that can be opened, in one of the scopes", () => {
    refused(
      { resources: { store: { scope: "proces", open } } },
      /"resources\.store\.scope": must be "process" or "worker"; got 'proces'$/,
    );
    refused(
      { resources: { store: { scope: "process", opn: open } } },
      /"resources\.store\.opn": there is no such field; did you mean open\?/,
    );
    refused(
      { resources: { store: { scope: "worker" } } },
      /"resources\.store\.open": must be a function that returns the instance; got undefined$/,
    );
    refused({ resources: { store: { scope: "worker", open, flsh() {} } } }, /did you mean flush\?/);
    refused({ resources: { store: { scope: "worker", open, flush: 1 } } }, /"resources\.store\.flush": must/);
    refused({ resources: { store: open } }, /"resources\.store": must be an object; got \[Function: open\]$/);
    refused({ resources: null }, /"resources": must be an object; got null$/);
  });
});
