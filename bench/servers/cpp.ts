/** Apache's C++ servers. Needs g++, the Thrift compiler, libthrift, libevent and Boost's headers. */
import { join } from "node:path";
import { benchFolder, build, buildFolder, idlFile } from "./build.ts";
import type { Contestant, Setup } from "./contestant.ts";

const sourceFolder = join(benchFolder, "servers", "cpp");
const folder = join(buildFolder, "cpp");

function cppServer(
  id: string,
  label: string,
  program: string,
  args: (setup: Setup) => readonly string[],
): Contestant {
  const source = join(sourceFolder, `${program}.cpp`);
  const output = join(folder, program);
  const generated = ["Bench.cpp", "bench_types.cpp"].map((file) => join(folder, file));
  return {
    id,
    label,
    family: "apache",
    prepare: (processes) =>
      build(processes, {
        tools: ["g++", "thrift"],
        folder,
        output,
        sources: [source, join(sourceFolder, "handler.h"), idlFile],
        commands: [
          ["thrift", "--gen", "cpp", "-out", folder, idlFile],
          // biome-ignore format: a command line
          ["g++", "-std=c++17", "-O2", "-o", output, "-I", folder, source, ...generated,
            "-lthriftnb", "-lthrift", "-levent", "-lpthread"],
        ],
      }),
    command: (setup) => ({ file: output, args: ["0", ...args(setup)] }),
  };
}

export const cppNonblocking: Contestant = cppServer(
  "cpp-nonblocking",
  "C++ TNonblockingServer",
  "nonblocking",
  ({ protocol, workers }) => [protocol, String(workers)],
);

export const cppThreaded: Contestant = cppServer(
  "cpp-threaded",
  "C++ TThreadedServer",
  "threaded",
  ({ protocol }) => [protocol],
);
