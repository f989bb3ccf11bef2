// Apache's Java library as a client: see README.md beside this file for what goes in and comes out.

import interop.*;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.protocol.*;
import org.apache.thrift.transport.*;
import org.apache.thrift.transport.layered.*;

public final class Client {
  private static final int TIMEOUT_MS = 20_000;
  private static final long ODD = (1L << 53) + 1;
  private static final Everything EVERYTHING = interopConstants.EVERYTHING;

  private static int port;
  private static String unixPath;
  private static KeyStore trusted;

  interface Check {
    void run() throws Exception;
  }

  private static TTransport socket(String kind) throws Exception {
    if (kind.equals("tls")) {
      ByteArrayOutputStream store = new ByteArrayOutputStream();
      trusted.store(store, "secret".toCharArray());
      TSSLTransportFactory.TSSLTransportParameters parameters = new TSSLTransportFactory.TSSLTransportParameters();
      parameters.setTrustStore(new ByteArrayInputStream(store.toByteArray()), "secret", null, "PKCS12");
      return TSSLTransportFactory.getClientSocket("localhost", port, TIMEOUT_MS, parameters);
    }
    if (kind.equals("unix")) {
      // The library has no such socket; it takes the streams of any.
      SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(unixPath));
      return new TIOStreamTransport(Channels.newInputStream(channel), Channels.newOutputStream(channel));
    }
    return new TSocket("127.0.0.1", port, TIMEOUT_MS);
  }

  private static TTransport transport(String name, String kind) throws Exception {
    switch (name) {
      case "framed":
        return new TFramedTransport(socket(kind));
      case "fast-framed":
        return new TFastFramedTransport(socket(kind));
      case "zlib":
        return new TZlibTransport(socket(kind));
      case "zlib-framed":
        return new TFramedTransport(new TZlibTransport(socket(kind)));
      case "http":
        String scheme = kind.equals("tls") ? "https" : "http";
        return new THttpClient(scheme + "://127.0.0.1:" + port + "/any/path");
      default:
        return socket(kind);
    }
  }

  private static TProtocol protocol(String name, TTransport transport) {
    switch (name) {
      case "binary":
        return new TBinaryProtocol(transport);
      case "binary-old":
        return new TBinaryProtocol(transport, false, false);
      case "compact":
        return new TCompactProtocol(transport);
      default:
        return new TJSONProtocol(transport);
    }
  }

  private static void equal(Object got, Object wanted) {
    if (!Objects.equals(got, wanted)) throw new AssertionError(got + " is not " + wanted);
  }

  private static <E extends Exception> E raised(Class<E> kind, Check call) throws Exception {
    try {
      call.run();
    } catch (Exception error) {
      if (kind.isInstance(error)) return kind.cast(error);
      throw error;
    }
    throw new AssertionError("no " + kind.getSimpleName());
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer made = ByteBuffer.allocate(values.length);
    for (int value : values) made.put((byte) value);
    made.flip();
    return made;
  }

  private static Everything emptyEverything() {
    Everything blank = new Everything(false, (byte) 0, (short) 0, 0, 0L, 0.0, "", bytes(), Colour.RED, List.of(),
        new HashSet<>(), new HashMap<>(), new HashMap<>(), new HashMap<>(), List.of(), List.of(), List.of(),
        new HashMap<>(), new HashMap<>(), List.of(), new Point(0), new HashMap<>(), new HashSet<>());
    return blank;
  }

  private static Optionals emptyOptionals() {
    return new Optionals().setTruth(false).setTiny((byte) 0).setMedium(0).setWide(0).setReal(0).setText("")
        .setBytes(bytes()).setPoint(new Point(0)).setWords(List.of()).setPairs(new HashMap<>(Map.of(-1, -2)));
  }

  private static void typeChecks(Map<String, Check> checks, AllTypes.Client client) {
    checks.put("void", client::nothing);
    checks.put("inherited", () -> equal(client.inherited("ü"), "ü"));
    checks.put("scalars", () -> {
      for (byte value : new byte[] {-128, 127, 0}) equal(client.tiny(value), value);
      for (short value : new short[] {-32768, 32767}) equal(client.small(value), value);
      for (int value : new int[] {Integer.MIN_VALUE, Integer.MAX_VALUE}) equal(client.medium(value), value);
      for (double value : new double[] {-0.1, Double.MIN_VALUE, Double.MAX_VALUE}) equal(client.real(value), value);
      for (boolean value : new boolean[] {true, false}) equal(client.truth(value), value);
      equal(client.colour(Colour.BLUE), Colour.BLUE);
    });
    checks.put("i64", () -> {
      for (long value : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, ODD, 0, -1}) {
        equal(client.decimal(value), Long.toString(value));
      }
      for (String form : List.of("bigint", "string", "Int64")) {
        equal(client.extremes(form), List.of(Long.MAX_VALUE, Long.MIN_VALUE, 0L, ODD));
      }
      equal(client.extremeKeys(), Map.of(Long.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE));
      equal(client.keys(Map.of(Long.MAX_VALUE, true, Long.MIN_VALUE, true, ODD, true)),
          List.of("-9223372036854775808", "9007199254740993", "9223372036854775807"));
    });
    checks.put("text", () -> {
      for (String value : List.of(interopConstants.TEXT, "", "ü".repeat(5000))) equal(client.text(value), value);
    });
    checks.put("everything", () -> equal(client.everything(EVERYTHING), EVERYTHING));
    checks.put("empty", () -> equal(client.empty(emptyEverything()), emptyEverything()));
    checks.put("defaults", () -> equal(client.defaults(new Defaults()), new Defaults()));
    checks.put("optionals", () -> {
      equal(client.present(new Optionals()), List.of());
      equal(client.optionals(new Optionals()), new Optionals());
      equal(client.present(emptyOptionals()).size(), 10);
      equal(client.optionals(emptyOptionals()), emptyOptionals());
    });
    checks.put("union", () -> {
      List<Choice> choices = new ArrayList<>(List.of(Choice.wide(Long.MIN_VALUE), Choice.text("ü"),
          Choice.point(new Point(1)), Choice.bytes(bytes(0, 255))));
      choices.add(Choice.choices(List.copyOf(choices)));
      for (Choice choice : choices) equal(client.choose(choice), choice);
    });
    checks.put("recursive", () -> {
      Tree tree = client.tree(20);
      equal(client.sum(tree), 1L);
      int depth = 1;
      for (Tree at = tree; !at.getChildren().isEmpty(); at = at.getChildren().get(0)) depth++;
      equal(depth, 20);
    });
  }

  private static void callChecks(Map<String, Check> checks, AllTypes.Client client, TProtocol protocol, String cell) {
    checks.put("large", () -> {
      equal(client.reversed(bytes()), bytes());
      byte[] given = new byte[300_000];
      byte[] wanted = new byte[given.length];
      for (int at = 0; at < given.length; at++) {
        given[at] = (byte) (at * 7 % 256);
        wanted[given.length - 1 - at] = given[at];
      }
      if (!client.reversed(ByteBuffer.wrap(given)).equals(ByteBuffer.wrap(wanted))) throw new AssertionError("differs");
    });
    checks.put("declared", () -> {
      equal(client.fail("no"), "no");
      Refused refused = raised(Refused.class, () -> client.fail("refused"));
      equal(refused, new Refused("why nöt", Colour.BLUE, new Point(-1).setLabel("here")));
      equal(raised(Busy.class, () -> client.fail("busy")).getUntilMs(), ODD);
    });
    checks.put("undeclared", () -> equal(
        raised(TApplicationException.class, () -> client.fail("undeclared")).getType(),
        TApplicationException.INTERNAL_ERROR));
    checks.put("unknown", () -> equal(
        raised(TApplicationException.class, () -> new Absent.Client(protocol).absent(1)).getType(),
        TApplicationException.UNKNOWN_METHOD));
    checks.put("oneway", () -> {
      client.note(cell, "by " + cell);
      equal(client.noted(cell), "by " + cell);
    });
    checks.put("multiplexed", () -> {
      AllTypes.Client all = new AllTypes.Client(new TMultiplexedProtocol(protocol, "AllTypes"));
      equal(all.everything(EVERYTHING), EVERYTHING);
      equal(new Second.Client(new TMultiplexedProtocol(protocol, "Second")).which(), "the second");
      Second.Client nobody = new Second.Client(new TMultiplexedProtocol(protocol, "None"));
      equal(raised(TApplicationException.class, nobody::which).getType(), TApplicationException.UNKNOWN_METHOD);
    });
  }

  private static void run(String cell, PrintStream out) throws Exception {
    String[] names = cell.split(" ");
    TTransport transport = transport(names[1], names[2]);
    // A socket with TLS, and a channel's streams, are open from the beginning.
    if (!transport.isOpen()) transport.open();
    TProtocol protocol = protocol(names[0], transport);
    AllTypes.Client client = new AllTypes.Client(protocol);
    Map<String, Check> checks = new LinkedHashMap<>();
    typeChecks(checks, client);
    callChecks(checks, client, protocol, cell);
    for (Map.Entry<String, Check> check : checks.entrySet()) {
      String outcome = "ok";
      try {
        check.getValue().run();
      } catch (Exception | AssertionError error) {
        String told = error.toString().replace('\n', ' ');
        outcome = "failed: " + told.substring(0, Math.min(300, told.length()));
      }
      out.println(cell + "\t" + check.getKey() + "\t" + outcome);
    }
    transport.close();
  }

  private static void trust(String file) throws Exception {
    trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (InputStream pem = Files.newInputStream(Path.of(file))) {
      trusted.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
  }

  public static void main(String[] arguments) throws Exception {
    port = Integer.parseInt(arguments[0]);
    unixPath = arguments[1];
    trust(arguments[2]);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String cell; (cell = lines.readLine()) != null; ) {
      try {
        run(cell, out);
      } catch (Exception error) {
        out.println(cell + "\topen\tfailed: " + error.toString().replace('\n', ' '));
      }
    }
  }
}
