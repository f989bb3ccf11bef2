import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { methodsOf } from "../../../src/service/generated.ts";
import {
  checkHandler,
  MissingMethodsError,
  NoHandlerError,
  withSurplusParameters,
} from "../../../src/service/handler-errors.ts";
import Probe from "../../gen/Probe.js";

describe("a handler", () => {
  it("must have every method of the IDL; it may have more", () => {
    checkHandler("S", ["add"], { add: () => 1, other: 5 });
    assert.throws(
      () => checkHandler("S", ["add", "background", "blob"], { add: () => 1 }),
      (error) =>
        error instanceof MissingMethodsError &&
        /^the handler of service S lacks the methods background, blob: .* every method of the IDL$/.test(
          error.message,
        ),
    );
  });

  it("may have any arity; methods with parameters that nobody gives are found", () => {
    const methods = methodsOf(Probe).filter(({ name }) => ["add", "echo", "publish", "sleep"].includes(name));
    const handler = {
      add: (..._all: unknown[]) => {},
      echo: (_text = "") => {},
      publish() {},
      sleep: (_ms: number, _done: unknown) => {},
    };
    assert.deepEqual(withSurplusParameters(methods, handler), ["sleep declares 2, the IDL gives 1"]);
  });

  it("may be misspelt: then the error says so", () => {
    class Handler {
      pots(): void {}
      constructr(): void {}
    }
    assert.throws(
      () => checkHandler("S", ["post"], new Handler()),
      /lacks the method post: .*; it has pots, did you mean post\?$/,
    );
    assert.throws(() => checkHandler("S", ["post"], {}), /every method of the IDL$/);
  });

  it("is not taken to have misspelt a method by another one", () => {
    assert.throws(() => checkHandler("S", ["post", "posts"], { post() {} }), /every method of the IDL$/);
  });

  it("may have something else in the place of a method", () => {
    assert.throws(
      () => checkHandler("S", ["add", "sub", "none"], { add: 5, sub() {}, none: null }),
      /: the handler of service S has add as a number, not a function, and has none as null, not a function: [^;]*IDL$/,
    );
    assert.throws(
      () => checkHandler("S", ["add", "sub"], { add: {} }),
      /lacks the method sub, and has add as an object, not a function: /,
    );
  });

  it("is missing when the factory returns nothing", () => {
    assert.throws(
      () => checkHandler("S", [], undefined),
      (error) =>
        error instanceof NoHandlerError && error.message.includes("returned undefined; it must return"),
    );
  });
});
