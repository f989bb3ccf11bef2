// Apache's TThreadPoolServer with framed transport: one thread of a growing pool per connection.
// Usage: BenchServer PORT binary|compact

import bench.Bench;
import bench.Item;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

public final class BenchServer {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static volatile double sink;

  private static final class Handler implements Bench.Iface {
    @Override
    public void ping() {}

    @Override
    public Item echo(Item item) {
      return item;
    }

    @Override
    public ByteBuffer blob(ByteBuffer data) {
      return data;
    }

    @Override
    public long burn(int ms) {
      long end = THREADS.getCurrentThreadCpuTime() + ms * 1_000_000L;
      double sum = 0;
      while (THREADS.getCurrentThreadCpuTime() < end) {
        for (int i = 0; i < 1000; i++) sum += i * 0.5;
      }
      sink = sum;
      return ms;
    }
  }

  public static void main(String[] args) throws Exception {
    TProtocolFactory protocol =
        args[1].equals("compact") ? new TCompactProtocol.Factory() : new TBinaryProtocol.Factory();
    TServerSocket socket = new TServerSocket(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    System.out.println("{\"msg\":\"listening\",\"port\":" + socket.getServerSocket().getLocalPort() + "}");
    System.out.flush();
    new TThreadPoolServer(
            new TThreadPoolServer.Args(socket)
                .processor(new Bench.Processor<>(new Handler()))
                .transportFactory(new TFramedTransport.Factory())
                .protocolFactory(protocol))
        .serve();
  }
}
