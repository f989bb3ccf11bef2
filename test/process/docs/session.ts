/** Types what a document shows, as its reader would. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "../../support/free-ports.ts";
import { temporaryFolder } from "../../support/server-process.ts";
import { type Place, root } from "./code-blocks.ts";
import { makeCheckout, makePath, makeProject } from "./places.ts";

/** What takes longer than this hangs, and is killed, in ms. */
const longestMs = 100_000;

const tsc = join(root, "node_modules/typescript/bin/tsc");

/** What goes on until it is stopped; the next command is typed when it listens. */
const staysRunning = /^(?:make run|(?:npx )?sluice serve|npm start|node \S*server\S*\.[jt]s)\b/;

/** Ports are exchanged for free ones, so that sessions don't meet. */
const portNumber = /(?<![\w.])9[0-4]\d\d(?!\w)/g;

/** A program with all that it wrote. */
class Running {
  readonly line: string;
  readonly child: ChildProcess;
  readonly closed: Promise<unknown>;
  output = "";
  #wake = (): void => {};

  constructor(line: string, child: ChildProcess) {
    this.line = line;
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    const timer = setTimeout(() => this.signal("SIGKILL"), longestMs);
    this.closed = once(child, "close").finally(() => {
      clearTimeout(timer);
      this.#wake();
    });
  }

  /** @throws when it ends before it listens */
  async listening(): Promise<void> {
    while (!/\blisten(?:s|ing)\b/i.test(this.output)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) this.fail();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** As a terminal does it: to all processes of the command. */
  signal(signal: NodeJS.Signals): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    try {
      process.kill(-this.child.pid!, signal);
    } catch {
      // It ended just now.
    }
  }

  /** Ends what is left of it, also what it has started and left behind. */
  kill(): void {
    try {
      process.kill(-this.child.pid!, "SIGKILL");
    } catch {
      // Nothing is left.
    }
  }

  /** Make and npm may end by the signal, after what they started. */
  endedWell(): boolean {
    const { exitCode, signalCode } = this.child;
    const left = exitCode === 0 || exitCode === 130 || signalCode === "SIGINT";
    return left && (!/"msg":"draining"/.test(this.output) || /"outcome":"clean"/.test(this.output));
  }

  fail(): never {
    const how = this.child.exitCode ?? this.child.signalCode;
    throw new Error(`${this.line}\nended with ${how}:\n${this.output}`);
  }
}

/** The reader of one document. */
export class Session {
  readonly #folder: string;
  readonly #path: string;
  /** Where the next command of each place runs. */
  readonly #current = new Map<Place, string>();
  readonly #ports = new Map<string, number>();
  #servers: Running[] = [];

  constructor(t: TestContext) {
    this.#folder = temporaryFolder(t);
    this.#path = makePath(join(this.#folder, "bin"));
    t.after(() => {
      for (const server of this.#servers) server.kill();
    });
  }

  /** Types the commands of a block. @throws when one fails: the message has what it wrote */
  async type(place: Place, text: string): Promise<void> {
    let commands: string[] = [];
    for (const line of text.split("\n")) {
      if (!staysRunning.test(line)) {
        commands.push(line);
        continue;
      }
      await this.#run(place, commands.join("\n"));
      commands = [];
      const server = await this.#spawn(place, line, `exec ${line}`);
      this.#servers.push(server);
      await server.listening();
    }
    await this.#run(place, commands.join("\n"));
  }

  /** Types what stands behind `$`. Returns these lines, each with what was then to be seen. */
  async converse(place: Place, text: string): Promise<string> {
    const seen: string[] = [];
    for (const line of text.split("\n").filter((line) => line.startsWith("$ "))) {
      const { output } = await this.#bash(place, line.slice(2));
      seen.push(line, ...output.split("\n").filter((line) => line !== ""));
    }
    return this.#shown(seen.join("\n"));
  }

  /** Writes a file that a document shows. */
  async write(place: Place, file: string, text: string): Promise<void> {
    const path = join(this.#cwd(place), file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${await this.#own(text)}\n`);
  }

  /** Has the compiler look at a file, with the options of this repository. @throws with what it found */
  async checkTypes(place: Place, file: string): Promise<void> {
    const config = {
      extends: join(root, "tsconfig.json"),
      // What a reader's own project would say differently.
      compilerOptions: { isolatedDeclarations: false, declaration: false, noUnusedParameters: false },
      include: [file],
    };
    await this.write(place, "tsconfig.docs.json", JSON.stringify(config));
    await this.#run(place, `'${process.execPath}' '${tsc}' -p tsconfig.docs.json`);
  }

  /** Presses Ctrl-C in what still runs. @throws when it does not end well */
  async end(): Promise<void> {
    for (const server of this.#servers.splice(0).reverse()) {
      server.signal("SIGINT");
      await server.closed;
      if (!server.endedWell()) server.fail();
    }
  }

  async #run(place: Place, commands: string): Promise<void> {
    if (commands.trim() === "") return;
    const running = await this.#bash(place, commands);
    if (running.child.exitCode !== 0) running.fail();
  }

  async #bash(place: Place, commands: string): Promise<Running> {
    const cwdFile = join(this.#folder, "cwd");
    const running = await this.#spawn(place, commands, `set -e\n${commands}\npwd > '${cwdFile}'`);
    await running.closed;
    // The next command goes on where this one went.
    if (running.child.exitCode === 0) this.#current.set(place, readFileSync(cwdFile, "utf8").trim());
    return running;
  }

  async #spawn(place: Place, line: string, script: string): Promise<Running> {
    const { SLUICE_REQUIRE_PEERS: _, ...env } = process.env;
    const child = spawn("bash", ["-c", await this.#own(script)], {
      cwd: this.#cwd(place),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: {
        ...env,
        NODE_OPTIONS: "",
        PATH: this.#path,
        SLUICE_PORT: await this.#own("9090"),
        SLUICE_ADMIN_PORT: await this.#own("9091"),
      },
    });
    return new Running(line, child);
  }

  #cwd(place: Place): string {
    let folder = this.#current.get(place);
    if (folder === undefined) {
      folder = join(this.#folder, place);
      mkdirSync(folder);
      this.#current.set(place, folder);
      if (place === "checkout") makeCheckout(folder);
      else makeProject(folder);
    }
    return folder;
  }

  /** With ports of this session in place of those in the document. */
  async #own(text: string): Promise<string> {
    for (const [port] of text.matchAll(portNumber)) {
      if (!this.#ports.has(port)) this.#ports.set(port, await freePort());
    }
    return text.replace(portNumber, (port) => String(this.#ports.get(port)));
  }

  /** With the document's ports again. */
  #shown(text: string): string {
    let shown = text;
    for (const [port, own] of this.#ports) shown = shown.replaceAll(String(own), port);
    return shown;
  }
}
