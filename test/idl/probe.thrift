/**
 * The service that tests call: each method does one thing to the server that serves it.
 */
namespace js probe
namespace py probe

exception Declared {
  1: string message,
}

service Probe {
  i32 add(1: i32 a, 2: i32 b),
  string echo(1: string text),
  binary blob(1: binary data),

  /** Answers `ms` after `ms` milliseconds; others run meanwhile. */
  i64 sleep(1: i32 ms),

  /** Answers when there is a file of this path. */
  void waitFor(1: string path),

  /** Keeps its worker busy for `ms` milliseconds, with `ms` below 0 for ever. */
  i64 spin(1: i32 ms),

  /** Keeps its worker in native code: waiting for a child process for `ms`; -1: in PBKDF2, -2: waiting, both for ever. */
  void nativeBlock(1: i32 ms),

  /** Writes `id` into the journal. */
  oneway void note(1: string id),

  /** The same, after `ms` milliseconds. */
  oneway void slowNote(1: string id, 2: i32 ms),

  /** Fails in the way that `how` names; see the fixture for the list. */
  string fail(1: string how) throws (1: Declared declared),

  /** What `currentCall()` and `ctx` tell as numbers: worker, thread, seqid, stopping, deadline, calls. */
  map<string, i64> context(),

  /** The caller's address as the handler sees it. */
  string peer(),

  /** Sleeps `ms` in a section that is protected for `protectMs`. */
  i64 guarded(1: i32 ms, 2: i32 protectMs),

  /** Loops, without ever yielding, until `stopping` is true; at most `ms`. Answers how long it took. */
  i64 spinUntilStopping(1: i32 ms),

  /** Sleeps until `signal` aborts; at most `ms`. Answers how long it took. */
  i64 sleepUntilAborted(1: i32 ms),

  /** Loops for at most `ms` and allows to be ended at every turn. */
  i64 breakable(1: i32 ms),

  /** Answers at once and notes `id` after `ms`, as a background promise. */
  void background(1: string id, 2: i32 ms),

  /** Publishes a value to every worker; `published` answers the last one. */
  void publish(1: string value),
  string published(),
}
