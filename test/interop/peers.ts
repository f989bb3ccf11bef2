/** The programs that are clients: what they need, how they are built and started. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build, type Recipe, root } from "./build.ts";
import type { LibraryId } from "./cells.ts";

/** A command line. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program of a language is made of. */
export interface Program {
  /** The name of its build. */
  readonly name: string;
  /** Its one source file, within test/interop. */
  readonly source: string;
  readonly idl: string;
}

/** A language with its library. */
export interface Peer {
  /** Why it can't run here, with what to install; undefined when it can. */
  missing(): string | undefined;
  /** Builds a program where that is needed, and tells how it is started. */
  prepare(program: Program): Promise<Command>;
}

/** Debian's interpreter, for which its packages are made; one earlier in PATH lacks them. */
const python = "/usr/bin/python3";
const generatedPython = join(root, "test/gen/python");

const javaJars = ["thrift", "slf4j-api", "slf4j-nop", "httpclient", "httpcore"].map(
  (name) => `/usr/share/java/${name}.jar`,
);
const goLibrary = "/usr/share/gocode";

export const peers: Readonly<Record<LibraryId, Peer>> = {
  python: {
    missing: () => pythonLacks("thrift", "python3-thrift"),
    prepare: async ({ source }) => pythonCommand(source),
  },
  thriftpy: {
    missing: () => pythonLacks("thriftpy", "python3-thriftpy"),
    prepare: async ({ source }) => pythonCommand(source),
  },
  cpp: {
    missing: () =>
      lacks(
        ["thrift", "g++"],
        ["/usr/include/thrift/Thrift.h", "/usr/include/boost/scoped_array.hpp"],
        "thrift-compiler g++ libthrift-dev libboost-dev libssl-dev",
      ),
    prepare: async (program) => {
      const files = "-I. SOURCE *.cpp -lthriftz -lthrift -lz -lssl -lcrypto -lpthread";
      const compile = `g++ -std=c++17 -O0 -o program ${files.replace("SOURCE", sourcePath(program))}`;
      const folder = await build({
        ...generated(program, "cpp:no_skeleton"),
        commands: [generate(program, "cpp:no_skeleton", "."), ["sh", "-c", compile]],
      });
      return { file: join(folder, "program"), args: [] };
    },
  },
  go: {
    missing: () =>
      lacks(
        ["thrift", "go"],
        [`${goLibrary}/src/github.com/apache/thrift/lib/go/thrift`],
        "thrift-compiler golang-go golang-thrift-dev",
      ),
    prepare: async (program) => {
      const folder = await build({
        ...generated(program, "go"),
        commands: [
          ["mkdir", "-p", "src/program"],
          generate(program, "go", "src"),
          // Command lines that nobody calls.
          ["sh", "-c", "rm -rf src/*/*-remote"],
          ["cp", sourcePath(program), "src/program/main.go"],
          ["sh", "-c", `GOPATH="$PWD:${goLibrary}" go build -o run program`],
        ],
        // As Debian's packages are used: what is in GOPATH, and no module proxy.
        env: { GO111MODULE: "off", GOFLAGS: "" },
      });
      return { file: join(folder, "run"), args: [] };
    },
  },
  java: {
    missing: () =>
      lacks(["thrift", "javac", "java"], javaJars, "thrift-compiler default-jdk-headless libthrift-java"),
    prepare: async (program) => {
      const generator = "java:generated_annotations=suppress";
      const classPath = javaJars.join(delimiter);
      const compile = `javac -encoding UTF-8 -nowarn -cp ${classPath} -d . $(find . -name '*.java') ${sourcePath(program)}`;
      const folder = await build({
        ...generated(program, generator),
        commands: [generate(program, generator, "."), ["sh", "-c", compile]],
      });
      const main = program.source.replace(/^.*\//, "").replace(".java", "");
      return {
        file: "java",
        // Small things that are done once are not worth the second compiler's time.
        args: ["-XX:TieredStopAtLevel=1", "-cp", [folder, ...javaJars].join(delimiter), main],
      };
    },
  },
  node: {
    missing: () => undefined,
    prepare: async (program) => ({
      file: process.execPath,
      args: ["--no-warnings", sourcePath(program)],
    }),
  },
};

/** Why a library's tests are skipped; false when they run. With `SLUICE_REQUIRE_PEERS=1` nothing is skipped. */
export function skipped(id: LibraryId): string | false {
  return process.env["SLUICE_REQUIRE_PEERS"] === "1" ? false : (peers[id].missing() ?? false);
}

/** @throws when a library is not there */
export function assertPresent(id: LibraryId): void {
  const missing = peers[id].missing();
  if (missing !== undefined) throw new Error(`SLUICE_REQUIRE_PEERS=1, but ${missing}`);
}

function sourcePath({ source }: Program): string {
  return join(root, "test/interop", source);
}

function generated(program: Program, generator: string): Omit<Recipe, "commands"> {
  return {
    name: `${program.name}-${generator.replace(/:.*/, "")}`,
    sources: [sourcePath(program), join(root, program.idl)],
  };
}

function generate({ idl }: Program, generator: string, folder: string): [string, ...string[]] {
  return ["thrift", "-nowarn", "--gen", generator, "-out", folder, join(root, idl)];
}

function pythonCommand(source: string): Command {
  const env = { PYTHONPATH: generatedPython, PYTHONDONTWRITEBYTECODE: "1" };
  return { file: python, args: [join(root, "test/interop", source)], env };
}

function pythonLacks(module: string, debian: string): string | undefined {
  try {
    execFileSync(python, ["-c", `import ${module}`], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${python} has no ${module}; on Debian: apt-get install ${debian}`;
  }
}

function lacks(tools: readonly string[], files: readonly string[], debian: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter);
  const missing = [
    ...tools.filter((tool) => !path.some((folder) => existsSync(join(folder, tool)))),
    ...files.filter((file) => !existsSync(file)),
  ];
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} not found; on Debian: apt-get install ${debian}`;
}
