package statefun.batching;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;

/** The bytes of requests and answers: {@code statefun/README.md} specifies them. */
final class Frames {
  static final byte VERSION = 1;
  static final String CONTENT_TYPE = "application/x-statefun-batch";

  private static final int KIND_RESULT = 0;
  private static final int KIND_ERROR = 1;
  private static final int KIND_ALIVE = 2;
  private static final int ID_BYTES = 4;
  private static final int LENGTH_BYTES = 4;
  private static final int ANSWER_HEAD_BYTES = 5;

  private Frames() {}

  /** A request's body. A call's id is its index in the list. */
  static byte[] request(List<Call> calls) {
    int length = 1;
    for (Call call : calls) length += call.frameBytes();
    byte[] body = new byte[length];
    ByteBuffer buffer = ByteBuffer.wrap(body);
    buffer.put(VERSION);
    for (int id = 0; id < calls.size(); id++) {
      Call call = calls.get(id);
      buffer.putInt(ID_BYTES + call.payloadBytes).putInt(id);
      write(call, body, buffer.position());
      buffer.position(buffer.position() + call.payloadBytes);
    }
    return body;
  }

  /** The body of the route for single calls. */
  static byte[] single(Call call) {
    byte[] body = new byte[call.payloadBytes];
    write(call, body, 0);
    return body;
  }

  private static void write(Call call, byte[] body, int at) {
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(body, at, call.payloadBytes);
      call.toFunction.writeTo(out);
      out.checkNoSpaceLeft();
    } catch (IOException impossible) {
      throw new IllegalStateException("a message is not as long as it says", impossible);
    }
  }

  /** The answer's bytes, copied out of the array, so that keeping them does not keep a whole batch. */
  static FromFunction fromFunction(byte[] bytes, int at, int length) throws IOException {
    return FromFunction.parseFrom(CodedInputStream.newInstance(bytes, at, length));
  }

  /** Receives what is read from a response. */
  interface Answers {
    void result(int id, FromFunction answer);

    void error(int id, int status, String text);
  }

  /** Reads a response as it comes, in pieces of any length. */
  static final class Reader {
    private static final int FIRST_CAPACITY = 16 * 1024;
    /** The memory that one large response needed is not kept for good. */
    private static final int KEPT_CAPACITY = 1024 * 1024;

    private final int maxFrameBytes;
    private byte[] bytes = new byte[FIRST_CAPACITY];
    private int start;
    private int end;
    private boolean versionRead;

    Reader(int maxReplyBytes) {
      this.maxFrameBytes = ANSWER_HEAD_BYTES + maxReplyBytes;
    }

    void reset() {
      start = end = 0;
      versionRead = false;
      if (bytes.length > KEPT_CAPACITY) bytes = new byte[FIRST_CAPACITY];
    }

    /** Whether everything so far was whole frames. */
    boolean atFrameEnd() {
      return versionRead && start == end;
    }

    /** @throws IOException when these are not frames of this version */
    void read(ByteBuf piece, Answers answers) throws IOException {
      append(piece);
      if (!versionRead && end > start) {
        if (bytes[start] != VERSION) throw new IOException("the response has framing version " + bytes[start] + ", not " + VERSION);
        start++;
        versionRead = true;
      }
      ByteBuffer view = ByteBuffer.wrap(bytes);
      while (end - start >= LENGTH_BYTES) {
        int length = view.getInt(start);
        if (length < ANSWER_HEAD_BYTES || length > maxFrameBytes) throw new IOException("the response has a frame of " + length + " bytes");
        if (end - start - LENGTH_BYTES < length) {
          reserve(LENGTH_BYTES + length);
          return;
        }
        int kind = bytes[start + LENGTH_BYTES];
        int id = view.getInt(start + LENGTH_BYTES + 1);
        int payload = start + LENGTH_BYTES + ANSWER_HEAD_BYTES;
        int payloadBytes = length - ANSWER_HEAD_BYTES;
        start += LENGTH_BYTES + length;
        if (kind == KIND_RESULT) answers.result(id, fromFunction(bytes, payload, payloadBytes));
        else if (kind == KIND_ERROR && payloadBytes >= 2) {
          answers.error(id, view.getShort(payload) & 0xffff, new String(bytes, payload + 2, payloadBytes - 2, StandardCharsets.UTF_8));
        } else if (kind != KIND_ALIVE) throw new IOException("the response has a frame of kind " + kind + " with " + payloadBytes + " bytes");
      }
    }

    private void append(ByteBuf piece) {
      int more = piece.readableBytes();
      reserve(end - start + more);
      piece.readBytes(bytes, end, more);
      end += more;
    }

    /** Makes room for this many bytes from {@code start} on. */
    private void reserve(int length) {
      if (start == end) start = end = 0;
      if (start + length <= bytes.length) return;
      byte[] to = length <= bytes.length ? bytes : new byte[Math.max(length, 2 * bytes.length)];
      System.arraycopy(bytes, start, to, 0, end - start);
      bytes = to;
      end -= start;
      start = 0;
    }
  }
}
