/** What the compiler must infer of resources and what not. Checked by `tsc`; there is nothing to run. */
import type Int64 from "node-int64";
import Ledger from "../../../gen/Ledger.js";
import { defineService } from "../../../src/service/define.ts";
import type {
  CopyOf,
  RemoteOf,
  ResourceContext,
  ResourcesOf,
  WorkerResource,
} from "../../../src/service/resource-types.ts";

class Store {
  readonly #all: string[] = [];
  add(text: string): number {
    return this.#all.push(text);
  }
  flush(): void {}
}

/** True when both are the same type, `any` being the same as itself only. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expect<A, B>(same: Same<A, B>): void {
  void same;
}

declare const handler: never;
const ledger = { name: "Ledger", service: Ledger } as const;

export const inferred: unknown = () =>
  defineService({
    ...ledger,
    resources: {
      plain: { scope: "process", open: () => new Store() },
      flushed: {
        scope: "process",
        open() {
          return new Store();
        },
        flush(store) {
          expect<typeof store, Store>(true);
        },
        close: (store) => store.flush(),
      },
      flushedFirst: {
        scope: "worker",
        flush: (store) => expect<typeof store, Store>(true),
        open: async () => new Store(),
      },
      logging: {
        scope: "worker",
        open({ log, settings }) {
          expect<typeof settings, Readonly<Record<string, string>>>(true);
          log("info", "open");
          return new Store();
        },
        flush: (store: Store) => store.flush(),
      },
      typed: {
        scope: "process",
        open: async (_ctx: ResourceContext) => new Store(),
        flush: (store) => expect<typeof store, Store>(true),
      },
      loose: {
        scope: "process",
        open: async (ctx) => {
          expect<typeof ctx, ResourceContext>(true);
          return new Store();
        },
        flush: (store) => store.flush(),
      },
    },
    handler: ({ resources }) => {
      expect<typeof resources.plain, RemoteOf<Store>>(true);
      expect<typeof resources.flushed, RemoteOf<Store>>(true);
      expect<typeof resources.flushedFirst, Store>(true);
      expect<typeof resources.logging, Store>(true);
      expect<typeof resources.typed, RemoteOf<Store>>(true);
      expect<typeof resources.loose, RemoteOf<Store>>(true);
      expect<ReturnType<typeof resources.loose.add>, Promise<number>>(true);
      return handler;
    },
  });

export const none: unknown = () =>
  defineService({
    ...ledger,
    handler: ({ resources }) => {
      // @ts-expect-error there are no resources
      void resources["store"];
      return handler;
    },
  });

export const elsewhere: unknown = () => {
  const local: WorkerResource<Store> = { scope: "worker", open: () => new Store() };
  return defineService({
    ...ledger,
    resources: { local },
    handler: ({ resources }) => {
      expect<typeof resources.local, Store>(true);
      return handler;
    },
  });
};

export const misspelt: unknown = () =>
  defineService({
    ...ledger,
    // @ts-expect-error no such scope
    resources: { store: { scope: "proces", open: () => new Store() } },
    handler: () => handler,
  });

export const wrong: unknown = () =>
  defineService({
    ...ledger,
    // @ts-expect-error another instance than the one that is opened
    resources: { store: { scope: "process", open: () => new Store(), flush: (store: Date) => void store } },
    handler: () => handler,
  });

class Link {
  url = "";
  key: Buffer = Buffer.alloc(0);
  hits!: Int64;
  next?: Link;
  read(_input: object): void {}
}

interface LinkCopy {
  url: string;
  key: Uint8Array;
  hits: { buffer: Uint8Array; offset: number };
  next?: LinkCopy;
}

interface Links {
  get(id: string): Link | undefined;
  put(link: Link, ...more: Link[]): Promise<void>;
  all(): Promise<Map<string, readonly Link[]>>;
  keys(): Set<Buffer>;
  pair(): [Buffer, Date, Uint8Array];
  some(): unknown;
  readonly size: number;
}

export function remote(links: RemoteOf<Links>, link: Link): unknown {
  expect<keyof typeof links, "get" | "put" | "all" | "keys" | "pair" | "some">(true);
  expect<ReturnType<typeof links.keys>, Promise<Set<Uint8Array>>>(true);
  expect<ReturnType<typeof links.pair>, Promise<[Uint8Array, Date, Uint8Array]>>(true);
  expect<ReturnType<typeof links.put>, Promise<void>>(true);
  expect<ReturnType<typeof links.some>, Promise<unknown>>(true);
  expect<keyof CopyOf<Link>, "url" | "key" | "hits" | "next">(true);
  expect<CopyOf<"a" | 1n | null | Error>, "a" | 1n | null | Error>(true);
  // What looks like an error is none, as a rule.
  expect<CopyOf<{ name: string; message: string; read(): void }>, { name: string; message: string }>(true);
  // biome-ignore lint/suspicious/noExplicitAny: what is not typed stays so
  expect<CopyOf<any>, any>(true);
  return async () => {
    const copy: LinkCopy | undefined = await links.get("a");
    const lists: Map<string, readonly LinkCopy[]> = await links.all();
    // What came may be sent back.
    await links.put(link, link, copy!, lists.get("a")![0]!);
    // @ts-expect-error the methods do not come along
    copy!.hits.toNumber();
    // @ts-expect-error it is no Buffer any more
    return copy!.key.readInt8(0);
  };
}

export function given(resources: ResourcesOf<{ store: WorkerResource<Store> }>): Store {
  return resources.store;
}
