/** The state thread itself: opens the process resources, serves the workers' calls, flushes and closes. */
import { parentPort, workerData } from "node:worker_threads";
import type { ServiceDefinition } from "../service/define.ts";
import { loadService } from "../service/load.ts";
import { registerSelfResolution } from "../service/self-resolution.ts";
import { ChannelServer } from "./channel-server.ts";
import { packError } from "./error-transfer.ts";
import { StateStartError } from "./errors.ts";
import type {
  MessageFromState,
  MessageToState,
  ResourceFailure,
  ResourceReport,
  StateLogRecord,
  StateStartData,
} from "./messages.ts";
import { ResourceHost } from "./resource-host.ts";

/** After everything is closed, how long handles of the services' own may keep the thread, in ms. */
const lingerMs = 100;

const main = parentPort;
if (main === null) throw new Error("state-entry is started by StateThread, as a worker thread");

const send = (message: MessageFromState): void => main.postMessage(message);

void start(workerData as StateStartData);

async function start({ modules, settings }: StateStartData): Promise<void> {
  registerSelfResolution();
  try {
    const services = await loadServices(modules);
    const host = await ResourceHost.open(services, settings, log);
    if (Object.keys(host.names).length > 0) serve(host);
    else end();
    send({ kind: "ready", resources: host.names });
  } catch (error) {
    const { message, service, resource, cause } =
      error instanceof StateStartError ? error : new StateStartError(String(error), "", "", error);
    send({ kind: "failed", message, service, resource, cause: packError(cause) });
    end();
  }
}

async function loadServices(modules: readonly string[]): Promise<ServiceDefinition[]> {
  const services: ServiceDefinition[] = [];
  for (const module of modules) {
    let service: ServiceDefinition;
    try {
      service = await loadService(module);
    } catch (cause) {
      throw new StateStartError(cause instanceof Error ? cause.message : String(cause), "", "", cause);
    }
    if (services.some(({ name }) => name === service.name)) {
      const message = `two service modules are named ${service.name}; names must differ: ${modules.join(", ")}`;
      throw new StateStartError(message, service.name, "");
    }
    services.push(service);
  }
  return services;
}

function serve(host: ResourceHost): void {
  const channels = new ChannelServer((resource, method, args) => host.call(resource, method, args));
  // Flushes and closes run one after the other, whenever they are asked for.
  let last: Promise<void> = Promise.resolve();
  main?.on("message", (message: MessageToState) => {
    if (message.kind === "connect") {
      channels.connect(message.channel);
      return;
    }
    const { kind, id, withinMs } = message;
    const deadlineMs = performance.now() + withinMs;
    last = last.then(async () => {
      const step = kind === "flush" ? flush : close;
      const report = await step(host, channels, deadlineMs);
      send({ kind: "report", id, report });
      if (kind === "close" && report.failed.length === 0) end();
      else if (kind === "close") main.unref();
    });
  });
}

/** A barrier: everything that any worker posted before is taken in, and settled or flushed, when this resolves. */
async function flush(
  host: ResourceHost,
  channels: ChannelServer,
  deadlineMs: number,
): Promise<ResourceReport> {
  const missing = await channels.takeIn(deadlineMs);
  // Twice when calls are running: some settle only by a flush, others buffer something before they settle.
  const wasBusy = channels.busy;
  let report = await host.flush(leftMs(deadlineMs));
  if (wasBusy) {
    // Half of the time for the calls, so that one that never settles leaves the second flush the other half.
    const idle = await channels.whenIdle(performance.now() + leftMs(deadlineMs) / 2);
    const again = await host.flush(leftMs(deadlineMs));
    report = merge(report, again, idle);
  }
  if (missing === 0) return report;
  const lost = {
    service: "",
    resource: "",
    message: `${missing} batches of calls were sent and did not arrive`,
  };
  return { failed: [...report.failed, lost], timedOut: report.timedOut };
}

async function close(
  host: ResourceHost,
  channels: ChannelServer,
  deadlineMs: number,
): Promise<ResourceReport> {
  channels.refuse();
  const report = await host.close(leftMs(deadlineMs));
  await channels.takeIn(deadlineMs);
  await channels.whenIdle(Math.min(deadlineMs, performance.now() + lingerMs));
  channels.close();
  return report;
}

/** The thread ends by itself: it is never terminated. What a service's own timers hold open is given `lingerMs`. */
function end(): void {
  main?.unref();
  setTimeout(() => process.exit(), lingerMs).unref();
}

function merge(first: ResourceReport, second: ResourceReport, idle: boolean): ResourceReport {
  const failed: ResourceFailure[] = [...first.failed];
  for (const failure of second.failed) {
    const known = failed.some(
      ({ service, resource }) => service === failure.service && resource === failure.resource,
    );
    if (!known) failed.push(failure);
  }
  return { failed, timedOut: first.timedOut || second.timedOut || !idle };
}

function leftMs(deadlineMs: number): number {
  return Math.max(0, deadlineMs - performance.now());
}

function log(record: StateLogRecord): void {
  try {
    send({ kind: "log", record });
  } catch {
    send({
      kind: "log",
      record: { ...record, fields: { unprintable: Object.keys(record.fields).join(", ") } },
    });
  }
}
