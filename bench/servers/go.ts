/** Apache's Go server. Needs go, the Thrift compiler, and once the network, for the module of Apache Thrift. */
import { join } from "node:path";
import { benchFolder, build, buildFolder, idlFile } from "./build.ts";
import type { Contestant } from "./contestant.ts";

const folder = join(buildFolder, "go");
const output = join(folder, "bench-go");
const sources = ["main.go", "go.mod", "go.sum"].map((file) => join(benchFolder, "servers", "go", file));

export const goSimple: Contestant = {
  id: "go-simple",
  label: "Go TSimpleServer",
  family: "apache",
  prepare: (processes) =>
    build(processes, {
      tools: ["go", "thrift"],
      folder,
      output,
      sources: [...sources, idlFile],
      commands: [
        ["thrift", "--gen", "go", "-out", folder, idlFile],
        ["cp", ...sources, folder],
        ["go", "build", "-C", folder, "-o", output, "."],
      ],
    }),
  command: ({ protocol }) => ({ file: output, args: ["0", protocol] }),
};
