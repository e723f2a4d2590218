package statefun.batching;

import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.Address;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** Calls with names, and answers that say whose they are. */
final class Messages {
  private Messages() {}

  static ToFunction call(String name) {
    return ToFunction.newBuilder().setInvocation(ToFunction.InvocationBatchRequest.newBuilder().setTarget(address(name))).build();
  }

  static String name(ToFunction call) {
    return call.getInvocation().getTarget().getId();
  }

  static FromFunction reply(String name) {
    return FromFunction.newBuilder()
        .setInvocationResult(FromFunction.InvocationResponse.newBuilder().addOutgoingMessages(FromFunction.Invocation.newBuilder().setTarget(address(name))))
        .build();
  }

  static String name(FromFunction reply) {
    return reply.getInvocationResult().getOutgoingMessages(0).getTarget().getId();
  }

  static ToFunctionRequestSummary summary(String name) {
    return new ToFunctionRequestSummary(new Address(new FunctionType("test", "function"), name), 0, 0, 1);
  }

  private static org.apache.flink.statefun.sdk.reqreply.generated.Address address(String name) {
    return org.apache.flink.statefun.sdk.reqreply.generated.Address.newBuilder().setNamespace("test").setType("function").setId(name).build();
  }
}
