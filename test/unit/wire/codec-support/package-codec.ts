import thrift from "thrift";
import type { Input, Output } from "./schema.ts";

interface PackageTransport {
  flush(): void;
}

interface PackageParts {
  TFramedTransport: new (bytes: Buffer | null, onFlush?: (message: Buffer) => void) => PackageTransport;
  TBufferedTransport: (new (
    bytes: null,
    onFlush: (message: Buffer) => void,
  ) => PackageTransport) & {
    receiver(callback: (transport: PackageTransport) => void): (bytes: Buffer) => void;
  };
  TBinaryProtocol: new (transport: PackageTransport) => Input & Output;
  TCompactProtocol: new (transport: PackageTransport) => Input & Output;
}

const parts = thrift as unknown as PackageParts;

export type PackageTransportName = "buffered" | "framed";

/** The `thrift` package's own protocol of this name, the reference that ours must agree with. */
export function packageCodec(name: "binary" | "compact"): {
  written(write: (output: Output) => void, transport?: PackageTransportName): Buffer;
  reader(bytes: Buffer, transport?: PackageTransportName): Input;
} {
  const Protocol = name === "binary" ? parts.TBinaryProtocol : parts.TCompactProtocol;
  return {
    written(write, transport = "buffered") {
      let message: Buffer = Buffer.alloc(0);
      const keep = (bytes: Buffer) => {
        message = transport === "framed" ? bytes.subarray(4) : bytes;
      };
      const Transport = transport === "framed" ? parts.TFramedTransport : parts.TBufferedTransport;
      const target = new Transport(null, keep);
      write(new Protocol(target));
      target.flush();
      return message;
    },
    reader(bytes, transport = "buffered") {
      if (transport === "framed") return new Protocol(new parts.TFramedTransport(bytes));
      let input: Input | undefined;
      parts.TBufferedTransport.receiver((received) => {
        input = new Protocol(received);
      })(bytes);
      return input!;
    },
  };
}
