package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.junit.jupiter.api.Test;

class FramesReaderTest {
  private static final int MOST = 300_000;

  private static final class Told implements Frames.Answers {
    final List<String> all = new ArrayList<>();

    @Override
    public void result(int id, FromFunction answer) {
      all.add(id + "=" + Messages.name(answer));
    }

    @Override
    public void error(int id, int status, String text) {
      all.add(id + "!" + status + " " + text);
    }
  }

  private static byte[] frame(int kind, int id, byte[] payload) {
    return ByteBuffer.allocate(9 + payload.length).putInt(5 + payload.length).put((byte) kind).putInt(id).put(payload).array();
  }

  private static byte[] error(int status, String text) {
    byte[] said = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(2 + said.length).putShort((short) status).put(said).array();
  }

  private static byte[] all(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) bytes.writeBytes(part);
    return bytes.toByteArray();
  }

  private static void read(Frames.Reader reader, byte[] bytes, int from, int to, Told told) throws IOException {
    reader.read(Unpooled.wrappedBuffer(bytes, from, to - from), told);
  }

  @Test
  void aResponseMayComeInAnyTwoOrThreePieces() throws IOException {
    byte[] response =
        all(new byte[] {1}, frame(0, 7, Messages.reply("a").toByteArray()), frame(2, 0, new byte[0]), frame(1, -2, error(404, "gibt es nicht: ä")), frame(0, 0, Messages.reply("b").toByteArray()));
    List<String> expected = List.of("7=a", "-2!404 gibt es nicht: ä", "0=b");
    Frames.Reader reader = new Frames.Reader(MOST);
    for (int first = 0; first <= response.length; first++) {
      for (int second = first; second <= response.length; second++) {
        Told told = new Told();
        reader.reset();
        read(reader, response, 0, first, told);
        read(reader, response, first, second, told);
        read(reader, response, second, response.length, told);
        assertEquals(expected, told.all);
        assertTrue(reader.atFrameEnd());
      }
    }
  }

  @Test
  void isAtAFramesEndOnlyThere() throws IOException {
    byte[] response = all(new byte[] {1}, frame(0, 1, Messages.reply("a").toByteArray()));
    for (int length = 0; length <= response.length; length++) {
      Frames.Reader reader = new Frames.Reader(MOST);
      read(reader, response, 0, length, new Told());
      assertEquals(length == 1 || length == response.length, reader.atFrameEnd());
    }
  }

  @Test
  void largeResponsesMayComeInAnyPieces() throws IOException {
    Random random = new Random(5);
    Frames.Reader reader = new Frames.Reader(MOST);
    for (int run = 0; run < 20; run++) {
      ByteArrayOutputStream response = new ByteArrayOutputStream();
      response.write(1);
      List<String> expected = new ArrayList<>();
      for (int id = 0; id < 60; id++) {
        String name = "x".repeat(random.nextInt(10) == 0 ? random.nextInt(200_000) : random.nextInt(300));
        response.writeBytes(frame(0, id, Messages.reply(name).toByteArray()));
        expected.add(id + "=" + name);
      }
      byte[] bytes = response.toByteArray();
      Told told = new Told();
      reader.reset();
      for (int at = 0; at < bytes.length; ) {
        int to = Math.min(bytes.length, at + 1 + random.nextInt(random.nextBoolean() ? 100 : 100_000));
        read(reader, bytes, at, to, told);
        at = to;
      }
      assertEquals(expected, told.all);
      assertTrue(reader.atFrameEnd());
    }
  }

  @Test
  void refusesOtherVersionsLargeFramesAndUnknownKinds() {
    List<byte[]> wrong =
        List.of(
            new byte[] {2},
            "<html>".getBytes(StandardCharsets.US_ASCII),
            new byte[] {1, 0, 0, 0, 4},
            new byte[] {1, -1, -1, -1, -1},
            new byte[] {1, 127, -1, -1, -1},
            ByteBuffer.allocate(5).put((byte) 1).putInt(5 + MOST + 1).array(),
            all(new byte[] {1}, frame(3, 0, new byte[0])),
            all(new byte[] {1}, frame(-1, 0, new byte[0])),
            all(new byte[] {1}, frame(1, 0, new byte[1])),
            all(new byte[] {1}, frame(0, 0, new byte[] {-1, -1})));
    for (byte[] bytes : wrong) {
      assertThrows(IOException.class, () -> read(new Frames.Reader(MOST), bytes, 0, bytes.length, new Told()), () -> Arrays.toString(bytes));
    }
  }

  @Test
  void theLargestFrameIsTaken() throws IOException {
    byte[] payload = error(500, "x".repeat(MOST - 2));
    byte[] response = all(new byte[] {1}, frame(1, 1, payload));
    Told told = new Told();
    Frames.Reader reader = new Frames.Reader(MOST);
    read(reader, response, 0, response.length, told);
    assertEquals(1, told.all.size());
  }

  @Test
  void noiseIsRefusedOrWaitsForMore() {
    Random random = new Random(9);
    int refused = 0;
    for (int run = 0; run < 2_000; run++) {
      byte[] noise = new byte[1 + random.nextInt(200)];
      random.nextBytes(noise);
      noise[0] = 1;
      Frames.Reader reader = new Frames.Reader(MOST);
      Told told = new Told();
      try {
        read(reader, noise, 0, noise.length, told);
        assertTrue(noise.length < 5 || !reader.atFrameEnd());
      } catch (IOException expected) {
        refused++;
      }
      assertTrue(told.all.isEmpty());
    }
    assertTrue(refused > 1_500);
  }

  @Test
  void requestsAreFramed() throws IOException {
    List<Call> calls = new ArrayList<>();
    for (String name : List.of("a", "bb", "ccc")) calls.add(new Call(Messages.summary(name), CallMetrics.of(new FakeMetrics()), Messages.call(name)));
    ByteBuffer body = ByteBuffer.wrap(Frames.request(calls));
    assertEquals(1, body.get());
    for (int id = 0; id < 3; id++) {
      byte[] payload = new byte[body.getInt() - 4];
      assertEquals(id, body.getInt());
      body.get(payload);
      assertEquals(calls.get(id).toFunction, org.apache.flink.statefun.sdk.reqreply.generated.ToFunction.parseFrom(payload));
    }
    assertFalse(body.hasRemaining());
  }
}
