import { run } from "../../../src/cli/main.ts";

/** What a command line gave. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function runSluice(
  argv: readonly string[],
  options: {
    terminal?: boolean;
    env?: Readonly<Record<string, string>>;
    onOut?: (text: string) => void;
    onErr?: (text: string) => void;
  } = {},
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const { code } = await run(argv, {
    env: options.env ?? {},
    out: (text) => {
      out.push(text);
      options.onOut?.(text);
    },
    err: (text) => {
      err.push(text);
      options.onErr?.(text);
    },
    terminal: options.terminal ?? false,
    handOverSignals: () => {},
  });
  return { code, out: out.join(""), err: err.join("") };
}
