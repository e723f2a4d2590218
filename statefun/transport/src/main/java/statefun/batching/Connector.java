package statefun.batching;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.apache.flink.shaded.netty4.io.netty.bootstrap.Bootstrap;
import org.apache.flink.shaded.netty4.io.netty.channel.Channel;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelFuture;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInitializer;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelOption;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.SocketChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.nio.NioSocketChannel;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpClientCodec;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslHandler;

/** Opens connections: looks the name up again for each, and takes the address that has the fewest connections. */
final class Connector {
  private static final String UNREADY = "unready";
  private static final int MAX_LINE_BYTES = 4 * 1024;
  private static final int MAX_HEADER_BYTES = 16 * 1024;
  private static final int MAX_CHUNK_BYTES = 256 * 1024;

  private final Endpoint endpoint;
  private final Target target;
  private final BatchingSpec spec;
  private final EventLoop loop;
  private final Tls tls;
  /** Used only by the endpoint's thread. */
  private final List<InetAddress> opening = new ArrayList<>();

  Connector(Endpoint endpoint, Target target, BatchingSpec spec, EventLoop loop) {
    this.endpoint = endpoint;
    this.target = target;
    this.spec = spec;
    this.loop = loop;
    this.tls = target.tls ? new Tls(target, spec) : null;
  }

  /** Opens a connection, and tells the endpoint on its thread. */
  void connect() {
    try {
      Threads.resolver().execute(this::resolve);
    } catch (RuntimeException | Error cause) {
      endpoint.notConnected(null, cause);
    }
  }

  private void resolve() {
    try {
      List<InetAddress> found = new ArrayList<>(Arrays.asList(InetAddress.getAllByName(target.host)));
      // Any one among equals: otherwise all subtasks would begin with the same server.
      Collections.shuffle(found);
      loop.execute(() -> open(choose(found)));
    } catch (UnknownHostException | RuntimeException | Error cause) {
      loop.execute(() -> endpoint.notConnected(null, cause));
    }
  }

  private InetAddress choose(List<InetAddress> found) {
    return Collections.min(
        found,
        Comparator.comparing(endpoint::shuns).thenComparing(address -> endpoint.connectionsTo(address) + Collections.frequency(opening, address)));
  }

  private void open(InetAddress address) {
    opening.add(address);
    try {
      start(address);
    } catch (RuntimeException | Error cause) {
      notConnected(address, cause);
    }
  }

  private void notConnected(InetAddress address, Throwable cause) {
    opening.remove(address);
    endpoint.notConnected(address, cause);
  }

  private void start(InetAddress address) {
    ChannelFuture connecting =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) spec.connectTimeout.toMillis())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    if (tls != null) channel.pipeline().addLast(handler(channel));
                    channel.pipeline().addLast(new HttpClientCodec(MAX_LINE_BYTES, MAX_HEADER_BYTES, MAX_CHUNK_BYTES, true));
                    channel.pipeline().addLast(UNREADY, new Unready());
                  }
                })
            .connect(new InetSocketAddress(address, target.port));
    connecting.addListener(
        connected -> {
          if (!connected.isSuccess()) notConnected(address, connected.cause());
          else if (tls == null) ready(connecting.channel(), address);
          else {
            connecting.channel().pipeline().get(SslHandler.class).handshakeFuture().addListener(
                shaken -> {
                  if (shaken.isSuccess()) ready(connecting.channel(), address);
                  else {
                    connecting.channel().close();
                    notConnected(address, shaken.cause());
                  }
                });
          }
        });
  }

  private SslHandler handler(SocketChannel channel) {
    SslHandler handler = tls.newHandler(channel.alloc());
    handler.setHandshakeTimeoutMillis(spec.connectTimeout.toMillis());
    return handler;
  }

  private void ready(Channel channel, InetAddress address) {
    opening.remove(address);
    Connection connection = new Connection(endpoint, channel, address, spec);
    channel.pipeline().replace(UNREADY, "connection", connection);
    if (channel.isActive()) endpoint.connected(connection);
    else endpoint.notConnected(address, new ClosedChannelException());
  }

  /** The future already reports why a handshake failed: without this, Netty would log it again, with its stack trace. */
  private static final class Unready extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
