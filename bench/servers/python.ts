/** Apache's Python server, with the C extension of the thrift package where that is installed. */
import { join } from "node:path";
import type { Processes } from "../measure/processes.ts";
import { benchFolder, build, buildFolder, idlFile } from "./build.ts";
import type { Contestant } from "./contestant.ts";

const folder = join(buildFolder, "python");
const script = join(benchFolder, "servers", "python", "server.py");
let python = "python3";

/** A Python that can import thrift: the one on the PATH, or the system's. */
async function findPython(processes: Processes): Promise<string | undefined> {
  for (const file of ["python3", "/usr/bin/python3"]) {
    const imports = processes.run({ file, args: ["-c", "import thrift.server.TServer"] }, 20_000);
    if (await imports.then(() => true).catch(() => false)) return file;
  }
  return undefined;
}

export const pythonThreaded: Contestant = {
  id: "python-threaded",
  label: "Python TThreadedServer",
  family: "apache",
  async prepare(processes) {
    const found = await findPython(processes);
    if (found === undefined) return "no python3 that has the thrift package";
    python = found;
    return build(processes, {
      tools: ["thrift"],
      folder,
      output: join(folder, "bench", "Bench.py"),
      sources: [idlFile],
      commands: [["thrift", "--gen", "py", "-out", folder, idlFile]],
    });
  },
  command: ({ protocol }) => ({ file: python, args: [script, folder, "0", protocol] }),
};
