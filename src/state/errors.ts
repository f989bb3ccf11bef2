/** The typed errors of process resources and of the thread that holds them. */

/** A process resource could not be opened, or its service's module not loaded: the server must not start. */
export class StateStartError extends Error {
  readonly code = "SLUICE_STATE_START";
  override readonly name = "StateStartError";
  /** The service at fault; empty when its module could not be loaded. */
  readonly service: string;
  /** The resource at fault; empty when it was not a resource. */
  readonly resource: string;

  constructor(message: string, service: string, resource: string, cause?: unknown) {
    super(message, { cause });
    this.service = service;
    this.resource = resource;
  }
}

/** The state thread ended while it was needed. What it had acknowledged is durable; nothing else is known. */
export class StateThreadDiedError extends Error {
  readonly code = "SLUICE_STATE_DIED";
  override readonly name = "StateThreadDiedError";
}

/** A call to a process resource that can't be answered: the state thread has ended or the resource is closed. */
export class StateGoneError extends Error {
  readonly code = "SLUICE_STATE_GONE";
  override readonly name = "StateGoneError";
}

/** A call was refused unsent: too many calls of this worker are waiting for the state thread. Safe to try again later. */
export class StateOverloadedError extends Error {
  readonly code = "SLUICE_STATE_OVERLOADED";
  override readonly name = "StateOverloadedError";
}

/** A call names a method that the resource does not have. */
export class StateMethodError extends TypeError {
  readonly code = "SLUICE_STATE_METHOD";
  override readonly name = "StateMethodError";
}

/** Arguments or a result can't be copied between threads (structured clone): functions, symbols and the like. */
export class StateCopyError extends TypeError {
  readonly code = "SLUICE_STATE_COPY";
  override readonly name = "StateCopyError";
}
