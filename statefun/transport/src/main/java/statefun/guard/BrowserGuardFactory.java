package statefun.guard;

import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;

/** Puts the {@link BrowserGuard} in front of Flink's REST interface, which finds it through Java's service loader. */
public final class BrowserGuardFactory implements InboundChannelHandlerFactory {
  /** From the one configuration that a process has: this factory is asked for a handler at each connection. */
  private volatile RequestRules rules;

  /** The first of all handlers: no other sees what is refused. */
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
