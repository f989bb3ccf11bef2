/** A line between the store and PostgreSQL that can be cut or stopped, at a certain statement too. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What happens to a statement. */
export type Fate =
  /** It never arrives: the line is cut. */
  | "lost"
  /** It is carried out, and the line is cut before the answer. */
  | "answer-lost"
  /** The line is cut, and the statement arrives so much later, in ms. */
  | { readonly lateMs: number };

export async function startProxy(targetPort: number): Promise<PostgresProxy> {
  const proxy = new PostgresProxy(targetPort);
  await proxy.listen();
  return proxy;
}

export class PostgresProxy implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #next: { readonly text: string; readonly fate: Fate } | undefined;
  #decided: () => void = () => {};
  #stalled = false;
  #passed: (() => void) | undefined;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Decides about the next statement that contains the text. Resolves when it has happened. */
  next(text: string, fate: Fate): Promise<void> {
    this.#next = { text, fate };
    return new Promise((resolve) => {
      this.#decided = resolve;
    });
  }

  /** Nothing passes, and nothing is cut: as when a cable is pulled. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Lets the next message of a client pass, and then nothing in either way. Resolves when it has passed. */
  stallAfterNext(): Promise<void> {
    return new Promise((resolve) => {
      this.#passed = () => {
        this.#passed = undefined;
        this.stall();
        resolve();
      };
    });
  }

  resume(): void {
    this.#stalled = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** Cuts every line; new ones may come. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const server = connect(this.#targetPort, "127.0.0.1");
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const [socket, other] of [pair, [server, client] as const]) {
      if (this.#stalled) socket.pause();
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
    server.on("data", (bytes) => client.write(bytes));
    client.on("data", (bytes) => {
      const { text, fate } = this.#next ?? {};
      if (text !== undefined && fate !== undefined && bytes.includes(text)) this.#decide(pair, bytes, fate);
      else server.write(bytes, this.#passed);
    });
  }

  #decide([client, server]: readonly [Socket, Socket], bytes: Buffer, fate: Fate): void {
    this.#next = undefined;
    if (fate !== "answer-lost") this.#decided();
    if (fate === "lost") {
      client.destroy();
    } else if (fate === "answer-lost") {
      server.removeAllListeners("data").once("data", () => {
        client.destroy();
        this.#decided();
      });
      server.write(bytes);
    } else {
      // The server's side lives on without the client's.
      server.removeAllListeners("data").on("data", () => {});
      client.removeAllListeners("close").on("close", () => {});
      client.destroy();
      setTimeout(() => server.end(bytes), fate.lateMs);
    }
  }
}
