package statefun.guard;

import java.util.Map;
import java.util.Optional;
import org.apache.flink.runtime.rest.handler.util.HandlerUtils;
import org.apache.flink.runtime.rest.messages.ErrorResponseBody;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponseStatus;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.LastHttpContent;
import org.apache.flink.shaded.netty4.io.netty.util.ReferenceCountUtil;

/** Answers requests that {@link RequestRules} refuses, and takes nothing of what follows of them; others go on to Flink. */
final class BrowserGuard extends ChannelInboundHandlerAdapter {
  private final RequestRules rules;
  private final Map<String, String> responseHeaders;

  /** The rest of a refused request is still arriving. */
  private boolean isRefused;

  BrowserGuard(RequestRules rules, Map<String, String> responseHeaders) {
    this.rules = rules;
    this.responseHeaders = responseHeaders;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof HttpRequest) {
      HttpRequest request = (HttpRequest) message;
      Optional<RequestRules.Refused> refused =
          rules.refusal(request.method().name(), request.uri(), request.headers()::getAll);
      isRefused = refused.isPresent();
      if (isRefused)
        HandlerUtils.sendErrorResponse(
            context,
            request,
            new ErrorResponseBody(refused.get().why),
            HttpResponseStatus.valueOf(refused.get().status),
            responseHeaders);
    }
    if (!isRefused) {
      context.fireChannelRead(message);
      return;
    }
    if (message instanceof LastHttpContent) isRefused = false;
    ReferenceCountUtil.release(message);
  }
}
