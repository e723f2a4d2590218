package statefun.guard;

import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelPipeline;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpServerCodec;

/** Puts the {@link BrowserGuard} in front of Flink's REST interface, which finds it through Java's service loader. */
public final class BrowserGuardFactory implements InboundChannelHandlerFactory {
  /** From the one configuration that a process has: this factory is asked for a handler at each connection. */
  private volatile RequestRules rules;

  /** The first of such handlers. */
  @Override
  public int priority() {
    return Integer.MAX_VALUE;
  }

  @Override
  public Optional<ChannelHandler> createHandler(Configuration configuration, Map<String, String> responseHeaders) {
    if (rules == null) rules = RequestRules.of(configuration);
    return Optional.of(new InFront(new BrowserGuard(rules, responseHeaders)));
  }

  /**
   * Gives its place to a guard right behind HTTP's codec. Flink puts handlers like this one behind two of its own, of which one writes
   * the files of a form to the disk, and the other keeps a body of up to 100 MB: whoever sends them.
   */
  private static final class InFront extends ChannelInboundHandlerAdapter {
    private final BrowserGuard guard;

    InFront(BrowserGuard guard) {
      this.guard = guard;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      ChannelPipeline pipeline = context.pipeline();
      pipeline.addAfter(pipeline.context(HttpServerCodec.class).name(), null, guard);
      pipeline.remove(this);
    }
  }
}
