package statefun.guard;

import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;

/** Puts the {@link BrowserGuard} before Flink's REST interface: found there by Java's service loader. */
public final class BrowserGuardFactory implements InboundChannelHandlerFactory {
  /** Of the one configuration that a process has: it is asked for a handler at each connection. */
  private volatile RequestRules rules;

  /** The first of all: what is refused, nobody else looks at. */
  @Override
  public int priority() {
    return Integer.MAX_VALUE;
  }

  @Override
  public Optional<ChannelHandler> createHandler(Configuration configuration, Map<String, String> responseHeaders) {
    if (rules == null) rules = RequestRules.of(configuration);
    return Optional.of(new BrowserGuard(rules, responseHeaders));
  }
}
