package statefun.batching;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.apache.flink.shaded.netty4.io.netty.bootstrap.Bootstrap;
import org.apache.flink.shaded.netty4.io.netty.channel.Channel;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelFuture;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInitializer;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelOption;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.SocketChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.nio.NioSocketChannel;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpClientCodec;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslHandler;

/** Opens connections: looks the name up anew for each, and takes the address that has the fewest. */
final class Connector {
  private static final int MAX_LINE_BYTES = 4 * 1024;
  private static final int MAX_HEADER_BYTES = 16 * 1024;
  private static final int MAX_CHUNK_BYTES = 256 * 1024;

  private final Endpoint endpoint;
  private final Target target;
  private final BatchingSpec spec;
  private final EventLoop loop;
  private final Tls tls;

  Connector(Endpoint endpoint, Target target, BatchingSpec spec, EventLoop loop) {
    this.endpoint = endpoint;
    this.target = target;
    this.spec = spec;
    this.loop = loop;
    this.tls = target.tls ? new Tls(target, spec) : null;
  }

  /** Opens one, and tells the endpoint on its thread. @param shunned addresses that others are preferred to */
  void connect(Collection<Connection> existing, Set<InetAddress> shunned) {
    List<InetAddress> taken = new ArrayList<>();
    for (Connection connection : existing) taken.add(connection.address);
    List<InetAddress> avoided = new ArrayList<>(shunned);
    Threads.resolver()
        .execute(
            () -> {
              try {
                List<InetAddress> found = new ArrayList<>(Arrays.asList(InetAddress.getAllByName(target.host)));
                // Of equals any: else all subtasks would begin at the same server.
                Collections.shuffle(found);
                InetAddress chosen =
                    Collections.min(
                        found,
                        Comparator.<InetAddress, Boolean>comparing(avoided::contains).thenComparing(address -> Collections.frequency(taken, address)));
                loop.execute(() -> open(chosen));
              } catch (UnknownHostException cause) {
                loop.execute(() -> endpoint.notConnected(null, cause));
              }
            });
  }

  private void open(InetAddress address) {
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
                  }
                })
            .connect(new InetSocketAddress(address, target.port));
    connecting.addListener(
        connected -> {
          if (!connected.isSuccess()) endpoint.notConnected(address, connected.cause());
          else if (tls == null) ready(connecting.channel(), address);
          else {
            connecting.channel().pipeline().get(SslHandler.class).handshakeFuture().addListener(
                shaken -> {
                  if (shaken.isSuccess()) ready(connecting.channel(), address);
                  else {
                    connecting.channel().close();
                    endpoint.notConnected(address, shaken.cause());
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
    Connection connection = new Connection(endpoint, channel, address, spec);
    channel.pipeline().addLast(connection);
    endpoint.connected(connection);
  }
}
