/**
 * An option that can't be used: unknown, malformed, out of range or at odds with another one.
 * Its message is one line that names the option as the user wrote it, the value and what is allowed.
 */
export class OptionError extends Error {
  /** For programs; the message is for people. */
  readonly code = "SLUICE_BAD_OPTION";
  override readonly name = "OptionError";
  /** The option as the user wrote it: `--grace`, `SLUICE_GRACE` or `grace`. */
  readonly option: string;

  constructor(option: string, problem: string) {
    super(`${option}: ${problem}`);
    this.option = option;
  }
}
