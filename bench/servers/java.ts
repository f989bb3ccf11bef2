/** Apache's Java server. Needs javac, the Thrift compiler, and the jars of libthrift and slf4j. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { benchFolder, build, buildFolder, idlFile } from "./build.ts";
import type { Contestant } from "./contestant.ts";

const folder = join(buildFolder, "java");
const source = join(benchFolder, "servers", "java", "BenchServer.java");

/** Debian's places; BENCH_JAVA_CLASSPATH names the jars elsewhere. */
const jars =
  process.env["BENCH_JAVA_CLASSPATH"]?.split(delimiter) ??
  ["thrift", "slf4j-api", "slf4j-nop"].map((name) => `/usr/share/java/${name}.jar`);
const classPath = [folder, ...jars].join(delimiter);

export const javaThreadPool: Contestant = {
  id: "java-threadpool",
  label: "Java TThreadPoolServer",
  family: "apache",
  async prepare(processes) {
    const missing = jars.filter((jar) => !existsSync(jar));
    if (missing.length > 0) return `${missing.join(", ")} not found (set BENCH_JAVA_CLASSPATH)`;
    const generated = ["Bench", "Item"].map((name) => join(folder, "bench", `${name}.java`));
    return build(processes, {
      tools: ["javac", "java", "thrift"],
      folder,
      output: join(folder, "BenchServer.class"),
      sources: [source, idlFile],
      commands: [
        ["thrift", "--gen", "java:generated_annotations=suppress", "-out", folder, idlFile],
        ["javac", "-nowarn", "-cp", classPath, "-d", folder, ...generated, source],
      ],
    });
  },
  command: ({ protocol }) => ({ file: "java", args: ["-cp", classPath, "BenchServer", "0", protocol] }),
};
