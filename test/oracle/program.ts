/** A program that serves and writes its hooks' names to stderr, as tests of hooks want it. */
import { serve } from "thrift-sluice";
import { scriptedModule } from "./scripted.ts";

const server = await serve(scriptedModule, {
  port: 0,
  adminPort: 0,
  workers: 2,
  signals: true,
  hup: "reload",
  onHup: () => console.error("onHup"),
  beforeExit: async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.error("beforeExit");
  },
});
const report = await server.stopped;
console.error(`stopped ${report.outcome}`);
