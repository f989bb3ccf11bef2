// Posts each line of stdin, "ID AMOUNT", to the ledger on the port that is the argument; prints the receipts.
// recipe

import java.util.Scanner;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

public final class Recipe {
  interface Call<T> {
    T on(Ledger.Client ledger) throws TException;
  }

  private final TTransport transport;
  private final Ledger.Client ledger;

  Recipe(int port) throws TException {
    transport = new TFramedTransport(new TSocket("127.0.0.1", port, 10_000));
    ledger = new Ledger.Client(new TBinaryProtocol(transport));
  }

  /** Calls again what was never started, and, if it is repeatable, what may have been. */
  <T> T call(boolean repeatable, Call<T> method) throws TException, InterruptedException {
    for (long giveUp = System.nanoTime() + 10_000_000_000L; ; ) {
      boolean sent = false;
      try {
        if (!transport.isOpen()) transport.open();
        sent = true;
        return method.on(ledger);
      } catch (TApplicationException error) {
        boolean safe = String.valueOf(error.getMessage()).contains("not started");
        if (!(safe || repeatable) || System.nanoTime() > giveUp) throw error;
      } catch (TTransportException error) {
        // Here it can't be told whether the connection had been closed while it was idle.
        if ((sent && !repeatable) || System.nanoTime() > giveUp) throw error;
      }
      // Another server, or the next one, answers on a new connection.
      transport.close();
      Thread.sleep(50);
    }
  }

  // end of recipe

  public static void main(String[] arguments) throws Exception {
    Recipe ledger = new Recipe(Integer.parseInt(arguments[0]));
    Scanner lines = new Scanner(System.in);
    while (lines.hasNext()) {
      Entry entry = new Entry(lines.next(), "cash", "rent", lines.nextLong());
      // Its id makes it repeatable: the ledger knows an entry that it has.
      System.out.println(ledger.call(true, client -> client.post(entry)).getSeq());
    }
  }
}
