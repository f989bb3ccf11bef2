/** What handlers throw, which may be anything. */
import { placeOf } from "./error-place.ts";

/** What was thrown, or an error in its place when it throws by itself if it is looked at. */
export function tamed(thrown: unknown): unknown {
  try {
    if (thrown instanceof Error) void [thrown.message, thrown.stack, (thrown as { code?: unknown }).code];
    return thrown;
  } catch {
    return new Error("the handler threw an object that can't be looked at");
  }
}

/** The text of what was thrown or rejected, whatever that is. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "an error that can't be shown";
  }
}

/** The message of what a service's own code threw, and where that was. */
export function messageWithPlace(error: unknown): string {
  const place = placeOf(error);
  return place === undefined ? messageOf(error) : `${messageOf(error)} (at ${place})`;
}

/** Fields of a log line. They travel to another thread: only what is a text. */
export function describeError(error: unknown): { error: string; code?: string; stack?: string } {
  return { error: messageOf(error), ...textsOf(error) };
}

/** An error may throw when its fields are looked at: where nobody tames it, that would be the end of the thread. */
function textsOf(error: unknown): { code?: string; stack?: string } {
  try {
    if (!(error instanceof Error)) return {};
    const { code, stack } = error as { code?: unknown; stack?: unknown };
    return {
      ...(typeof code === "string" ? { code } : {}),
      ...(typeof stack === "string" ? { stack } : {}),
    };
  } catch {
    return {};
  }
}
