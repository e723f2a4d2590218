package statefun.batching;

import static org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames.CONNECTION;
import static org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames.CONTENT_LENGTH;
import static org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames.CONTENT_TYPE;
import static org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames.HOST;
import static org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames.USER_AGENT;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.shaded.netty4.io.netty.channel.Channel;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.SimpleChannelInboundHandler;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.DefaultFullHttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpContent;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpMethod;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpObject;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpUtil;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpVersion;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.LastHttpContent;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;

/** A connection to one server: one request at a time, whose response is read as it comes. Used only by the endpoint's thread. */
final class Connection extends SimpleChannelInboundHandler<HttpObject> implements Frames.Answers {
  private static final String SINGLE_CONTENT_TYPE = "application/octet-stream";
  private static final int SHOWN_CHARACTERS = 300;
  private static final Pattern KEEP_ALIVE_SECONDS = Pattern.compile("timeout=(\\d{1,6})");

  final InetAddress address;
  private final Endpoint endpoint;
  private final Channel channel;
  private final long maxReplyBytes;
  private final Frames.Reader reader;
  private final long openedAtNanos = System.nanoTime();
  private long idleSinceNanos = openedAtNanos;
  /** How long the server keeps an idle connection open; 0: it has not said. */
  private long serverKeepsNanos;
  private int requests;
  /** Closed by us: with TLS it is still active for a while. */
  private boolean closing;

  private Exchange exchange;
  private int status;
  private boolean keepAlive;
  /** A single call's answer, or the text of a refusal. */
  private ByteArrayOutputStream text = new ByteArrayOutputStream(0);
  private Throwable cause;

  Connection(Endpoint endpoint, Channel channel, InetAddress address, BatchingSpec spec) {
    this.endpoint = endpoint;
    this.channel = channel;
    this.address = address;
    this.maxReplyBytes = spec.maxReplyBytes;
    this.reader = new Frames.Reader(spec.maxReplyBytes);
  }

  boolean idle() {
    return exchange == null && !closing && channel.isActive();
  }

  Exchange exchange() {
    return exchange;
  }

  boolean olderThan(long nowNanos, long nanos) {
    return nowNanos - openedAtNanos > nanos;
  }

  /** Whether the server may be about to close it: anything sent then would be lost. */
  boolean mayBeClosing(long nowNanos) {
    return serverKeepsNanos > 0 && nowNanos - idleSinceNanos > serverKeepsNanos - Math.min(TimeUnit.SECONDS.toNanos(1), serverKeepsNanos / 2);
  }

  long idleNanos(long nowNanos) {
    return nowNanos - idleSinceNanos;
  }

  /** @return bytes of the body */
  int send(Exchange next, Target target) {
    byte[] body = next.single ? Frames.single(next.calls().get(0)) : Frames.request(next.calls());
    HttpRequest request =
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, next.single ? target.singlePath : target.batchPath, Unpooled.wrappedBuffer(body));
    request
        .headers()
        .set(HOST, target.authority)
        .set(USER_AGENT, "statefun-batching")
        .set(CONTENT_TYPE, next.single ? SINGLE_CONTENT_TYPE : Frames.CONTENT_TYPE)
        .set(CONTENT_LENGTH, body.length);
    exchange = next;
    status = 0;
    requests++;
    reader.reset();
    text = new ByteArrayOutputStream(0);
    channel.writeAndFlush(request).addListener(
        written -> {
          if (!written.isSuccess()) close(written.cause());
        });
    return body.length;
  }

  /** Closes the connection; the open calls of its request are lost, and the endpoint is told so. */
  void close(Throwable why) {
    if (cause == null) cause = why;
    closing = true;
    channel.close();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, HttpObject message) throws Exception {
    // This came together with the reason for closing.
    if (closing) return;
    if (exchange == null) throw new IOException("the server sent something that was not asked for");
    exchange.heard(System.nanoTime());
    if (message.decoderResult().isFailure()) throw new IOException("the server's answer is not HTTP", message.decoderResult().cause());
    if (message instanceof HttpResponse) onHead((HttpResponse) message);
    if (message instanceof HttpContent) {
      onContent(((HttpContent) message).content());
      if (message instanceof LastHttpContent) onEnd();
    }
  }

  private void onHead(HttpResponse response) throws IOException {
    status = response.status().code();
    keepAlive = HttpUtil.isKeepAlive(response);
    String keep = response.headers().get("keep-alive");
    Matcher seconds = KEEP_ALIVE_SECONDS.matcher(keep == null ? "" : keep);
    if (seconds.find()) serverKeepsNanos = TimeUnit.SECONDS.toNanos(Long.parseLong(seconds.group(1)));
    if (!exchange.single) endpoint.limits(response.headers().getInt("statefun-batch-max-calls"), response.headers().getInt("statefun-batch-max-bytes"));
    String type = response.headers().get(CONTENT_TYPE, "");
    String expected = exchange.single ? SINGLE_CONTENT_TYPE : Frames.CONTENT_TYPE;
    if (status == 200 && !type.toLowerCase(Locale.ROOT).startsWith(expected)) throw new IOException("the server answered with the content type " + type + ", not " + expected);
  }

  private void onContent(ByteBuf content) throws IOException {
    if (status == 200 && !exchange.single) {
      reader.read(content, this);
      return;
    }
    int readable = content.readableBytes();
    if (status == 200 && text.size() + readable > maxReplyBytes) throw new IOException("the reply is larger than " + maxReplyBytes + " bytes (payload_max_bytes)");
    // The beginning of a refusal says enough.
    int wanted = status == 200 ? readable : Math.max(0, Math.min(readable, SHOWN_CHARACTERS - text.size()));
    content.readBytes(text, wanted);
  }

  private void onEnd() throws IOException {
    // 1xx: the answer is still to come.
    if (status < 200) return;
    Exchange ended = exchange;
    if (status == 200 && ended.single) {
      byte[] reply = text.toByteArray();
      result(0, Frames.fromFunction(reply, 0, reply.length));
    } else if (status == 200) {
      if (!reader.atFrameEnd() || ended.open() > 0) throw new IOException("the response ended with " + ended.open() + " calls unanswered");
    }
    exchange = null;
    idleSinceNanos = System.nanoTime();
    if (!keepAlive || endpoint.tooOld(this)) close(null);
    if (status == 200) endpoint.answered();
    else endpoint.refused(ended, status, text.toString(StandardCharsets.UTF_8.name()).trim());
  }

  @Override
  public void result(int id, FromFunction answer) {
    long now = System.nanoTime();
    Call call = exchange.close(id, now);
    if (call != null) call.answered(answer, now);
  }

  @Override
  public void error(int id, int errorStatus, String message) {
    Call call = exchange.close(id, System.nanoTime());
    if (call != null) endpoint.failedCall(call, errorStatus, message);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable thrown) {
    close(thrown);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    Exchange lost = exchange;
    exchange = null;
    endpoint.closed(this);
    if (lost == null) {
      endpoint.dispatch();
      return;
    }
    // A connection that was closed while idle says nothing about the server: the request did not reach it. This may show as a
    // reset.
    boolean reset = cause instanceof IOException && !(cause instanceof SSLException);
    boolean stale = requests > 1 && !lost.wasHeard() && (cause == null || reset);
    endpoint.lost(lost, cause == null ? new IOException("the connection was closed before every call was answered") : cause, stale);
  }
}
