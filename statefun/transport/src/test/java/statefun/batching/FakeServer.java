package statefun.batching;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** A function server that does what a test tells it to, request by request. */
final class FakeServer implements AutoCloseable {
  /** Answers a request, on its connection's thread. */
  interface Handler {
    void handle(Request request) throws IOException;
  }

  /** Makes the listening socket: plain or with TLS. */
  interface Sockets {
    ServerSocket create() throws IOException;
  }

  volatile Handler handler;
  /** The route for single calls: what a server that does not speak batches has. */
  volatile Handler single = Request::answerSingle;
  /** Sent with every answer. */
  volatile String headers = "";
  final int port;
  final Queue<Request> requests = new ConcurrentLinkedQueue<>();
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger open = new AtomicInteger();
  final AtomicInteger mostOpen = new AtomicInteger();
  final AtomicInteger inFlight = new AtomicInteger();
  final AtomicInteger mostInFlight = new AtomicInteger();
  final AtomicInteger mostCallsInFlight = new AtomicInteger();
  private final AtomicInteger callsInFlight = new AtomicInteger();
  private final Map<String, AtomicInteger> sent = new ConcurrentHashMap<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final ServerSocket listener;

  FakeServer(Handler handler) {
    this("127.0.0.1", 0, handler);
  }

  FakeServer(String address, int port, Handler handler) {
    this(
        () -> {
          ServerSocket socket = new ServerSocket();
          socket.setReuseAddress(true);
          return socket;
        },
        address,
        port,
        handler);
  }

  FakeServer(Sockets listeners, String address, int port, Handler handler) {
    this.handler = handler;
    try {
      listener = listeners.create();
      listener.bind(new InetSocketAddress(InetAddress.getByName(address), port), 200);
    } catch (IOException cause) {
      throw new UncheckedIOException(cause);
    }
    this.port = listener.getLocalPort();
    daemon(this::accept);
  }

  /** A port on which nobody listens. */
  static int freePort() {
    try (FakeServer server = new FakeServer(Request::answerAll)) {
      return server.port;
    }
  }

  String url() {
    return "http://127.0.0.1:" + port + "/statefun";
  }

  /** How often a call came. */
  int sent(String call) {
    AtomicInteger times = sent.get(call);
    return times == null ? 0 : times.get();
  }

  private static void daemon(Runnable work) {
    Thread thread = new Thread(work, "fake-server");
    thread.setDaemon(true);
    thread.start();
  }

  private static void most(AtomicInteger most, int value) {
    most.accumulateAndGet(value, Math::max);
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = listener.accept();
        sockets.add(socket);
        daemon(() -> serve(socket));
      }
    } catch (IOException closed) {
      // The end.
    }
  }

  private void serve(Socket socket) {
    connections.incrementAndGet();
    most(mostOpen, open.incrementAndGet());
    try (socket) {
      socket.setTcpNoDelay(true);
      DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
      for (int number = 1; ; number++) {
        Request request = new Request(socket, in, number);
        requests.add(request);
        most(mostInFlight, inFlight.incrementAndGet());
        most(mostCallsInFlight, callsInFlight.addAndGet(request.calls.size()));
        try {
          (request.path.endsWith("/batch") ? handler : single).handle(request);
        } finally {
          request.leave();
        }
        if (request.closing) return;
      }
    } catch (IOException ended) {
      // The client has closed it, or the test.
    } finally {
      open.decrementAndGet();
      sockets.remove(socket);
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (Socket socket : sockets) socket.close();
    } catch (IOException cause) {
      throw new UncheckedIOException(cause);
    }
  }

  /** One call of a request. */
  static final class Frame {
    final int id;
    final String name;

    Frame(int id, String name) {
      this.id = id;
      this.name = name;
    }
  }

  /** One request, and what is to be answered to it. */
  final class Request {
    final String path;
    final Map<String, String> head = new HashMap<>();
    final List<Frame> calls = new ArrayList<>();
    final int bodyBytes;
    /** Which of its connection it is, from 1. */
    final int number;
    final long atNanos = System.nanoTime();
    private final Socket socket;
    private final OutputStream out;
    private boolean started;
    private boolean left;
    boolean closing;

    private Request(Socket socket, DataInputStream in, int number) throws IOException {
      this.socket = socket;
      this.out = socket.getOutputStream();
      this.number = number;
      this.path = line(in).split(" ")[1];
      for (String line = line(in); !line.isEmpty(); line = line(in)) {
        head.put(line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT), line.substring(line.indexOf(':') + 1).trim());
      }
      byte[] body = new byte[Integer.parseInt(head.get("content-length"))];
      in.readFully(body);
      bodyBytes = body.length;
      if (path.endsWith("/batch")) {
        ByteBuffer frames = ByteBuffer.wrap(body);
        if (frames.get() != 1) throw new IOException("not version 1");
        while (frames.hasRemaining()) {
          byte[] payload = new byte[frames.getInt() - 4];
          int id = frames.getInt();
          frames.get(payload);
          take(id, payload);
        }
      } else take(0, body);
    }

    private void take(int id, byte[] payload) throws IOException {
      String name = Messages.name(ToFunction.parseFrom(payload));
      calls.add(new Frame(id, name));
      sent.computeIfAbsent(name, key -> new AtomicInteger()).incrementAndGet();
    }

    List<String> names() {
      List<String> names = new ArrayList<>();
      for (Frame call : calls) names.add(call.name);
      return names;
    }

    /** No longer in flight: before its last byte goes, for the client may be faster than we are. */
    private void leave() {
      if (left) return;
      left = true;
      inFlight.decrementAndGet();
      callsInFlight.addAndGet(-calls.size());
    }

    void start(String contentType, String moreHeaders) throws IOException {
      started = true;
      write(("HTTP/1.1 200 OK\r\ncontent-type: " + contentType + "\r\ntransfer-encoding: chunked\r\n" + headers + moreHeaders + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    void start() throws IOException {
      start("application/x-statefun-batch", "");
      chunk(new byte[] {1});
    }

    void result(Frame call) throws IOException {
      frame(0, call.id, Messages.reply(call.name).toByteArray());
    }

    void error(Frame call, int status, String text) throws IOException {
      ByteArrayOutputStream payload = new ByteArrayOutputStream();
      payload.write(status >> 8);
      payload.write(status);
      payload.write(text.getBytes(StandardCharsets.UTF_8));
      frame(1, call.id, payload.toByteArray());
    }

    void alive() throws IOException {
      frame(2, 0, new byte[0]);
    }

    void frame(int kind, int id, byte[] payload) throws IOException {
      if (!started) start();
      chunk(ByteBuffer.allocate(9 + payload.length).putInt(5 + payload.length).put((byte) kind).putInt(id).put(payload).array());
    }

    void end() throws IOException {
      if (!started) start();
      leave();
      write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }

    void answerAll() throws IOException {
      for (Frame call : calls) result(call);
      end();
    }

    void answerSingle() throws IOException {
      status(200, "application/octet-stream", Messages.reply(calls.get(0).name).toByteArray());
    }

    void status(int status, String text) throws IOException {
      status(status, "text/plain", text.getBytes(StandardCharsets.UTF_8));
    }

    void status(int status, String contentType, byte[] body) throws IOException {
      leave();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      all.write(("HTTP/1.1 " + status + " x\r\ncontent-type: " + contentType + "\r\ncontent-length: " + body.length + "\r\n" + headers + "\r\n").getBytes(StandardCharsets.US_ASCII));
      all.write(body);
      write(all.toByteArray());
    }

    private void chunk(byte[] bytes) throws IOException {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      all.write((Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      all.write(bytes);
      all.write("\r\n".getBytes(StandardCharsets.US_ASCII));
      write(all.toByteArray());
    }

    void write(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }

    /** Ends the connection in order. */
    void hangUp() throws IOException {
      closing = true;
      leave();
      socket.close();
    }

    /** Ends it with a reset. */
    void reset() throws IOException {
      socket.setSoLinger(true, 0);
      hangUp();
    }

    /** Says nothing any more, until the client has had enough. */
    void stayByTheClient() throws IOException {
      InputStream in = socket.getInputStream();
      while (in.read() >= 0) Thread.onSpinWait();
      hangUp();
    }
  }

  private static String line(DataInputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) throw new EOFException();
      if (c != '\r') line.append((char) c);
    }
    return line.toString();
  }
}
