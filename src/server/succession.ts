/** What a server and the process that replaces it, or that it replaces, say to each other. */
import type { Server } from "node:net";
import type { InheritedListeners } from "./inherited.ts";

/**
 * How far a successor is: `ready` when it can serve at once, `waiting` when all is loaded but a resource that this
 * process holds.
 */
export type SuccessorState = "ready" | "waiting";

/** The process that this one replaces, as this one sees it. */
export interface Predecessor {
  readonly listeners: InheritedListeners;
  /** Tells how far this process is. Resolves when the predecessor begins its drain, or is gone. */
  askToLetGo(state: SuccessorState): Promise<void>;
  /** Resolves when the predecessor has closed its resources, or is gone. */
  readonly released: Promise<void>;
}

/** The process that replaces this one, as this one sees it. */
export interface Successor {
  readonly pid: number;
  /** Resolves when it can take over. Rejects with why it can't when it has ended. */
  readonly able: Promise<SuccessorState>;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  /** Tells it that this process accepts no more. */
  letGo(): void;
  /** Tells it that the resources are closed. */
  release(): void;
  /** Ends it: it is not needed any more. */
  cancel(): void;
}

/** Both ends of a takeover, as the command line provides them. A program's server has none. */
export interface Succession {
  readonly predecessor?: Predecessor | undefined;
  /**
   * Starts the same server again, with these listeners.
   *
   * @throws {TakeoverRefusedError} when this process can't be replaced
   */
  readonly startSuccessor?:
    | ((listeners: Readonly<Record<"thrift" | "admin", Server>>) => Successor)
    | undefined;
}

/** How a takeover stands, for `/statusz`. */
export type TakeoverStatus =
  | { readonly state: "starting"; readonly pid: number }
  | { readonly state: "handed-over"; readonly pid: number }
  | { readonly state: "failed"; readonly pid: number; readonly why: string };

/**
 * Whether an error of `open()` says that another process holds the resource: its `code` is EBUSY, or its
 * `heldElsewhere` true.
 */
export function isHeldElsewhere(error: unknown): boolean {
  for (let cause = error; typeof cause === "object" && cause !== null; cause = (cause as Error).cause) {
    const { code, heldElsewhere } = cause as { code?: unknown; heldElsewhere?: unknown };
    if (code === "EBUSY" || heldElsewhere === true) return true;
  }
  return false;
}
