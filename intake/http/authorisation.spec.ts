import { beforeEach, describe, expect, it } from "vitest";

import { FraudLabel } from "../../protos/gen/fraud/v1/transaction.js";
import type { Tokens } from "./authorisation.js";
import { conforms, door, label, open, type Sent, transaction, useDoor } from "./testing/test-door.js";

useDoor();

/** Closes the door, and opens one that knows these tokens. */
async function reopenFor(tokens: Partial<Tokens>): Promise<void> {
  await door.app.close();
  door.app = open(tokens);
}

const send = (token: string | undefined, body: Sent | readonly Sent[], kind: "labels" | "transactions") =>
  door.app.inject({
    method: "POST",
    url: `/v1/${kind}`,
    headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    payload: JSON.stringify(body),
  });

describe("who may send what", () => {
  it("requires the token where one is set", async () => {
    await reopenFor({ transactions: "a-long-enough-token" });
    const refused = await send(undefined, transaction, "transactions");
    conforms("/v1/transactions", "post", refused);
    expect([refused.statusCode, refused.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect((await send("another-long-token", transaction, "transactions")).statusCode).toBe(401);
    expect((await send("a-long-enough-token", transaction, "transactions")).statusCode).toBe(202);
    expect((await door.app.inject("/healthz")).statusCode).toBe(200);
    expect((await door.app.inject("/nothing")).statusCode).toBe(401);
  });

  describe.each([
    { set: "both tokens", transactions: "for-transactions", labels: "the-one-for-labels", own: 202, wrong: 403 },
    // It is not valid for labels: these need their own token, and there is none.
    { set: "the token for transactions", transactions: "for-transactions", labels: undefined, own: 403, wrong: 403 },
  ])("with $set", ({ transactions, labels: labelToken, own, wrong }) => {
    beforeEach(() => reopenFor({ transactions, labels: labelToken }));

    it("takes no labels with the token for transactions, nor the reverse", async () => {
      const bySender = await send("for-transactions", label, "labels");
      conforms("/v1/labels", "post", bySender);
      expect([bySender.statusCode, bySender.json<{ detail: string }>().detail]).toEqual([
        wrong,
        expect.stringContaining("INTAKE_LABEL_TOKEN"),
      ]);
      expect((await send("the-one-for-labels", label, "labels")).statusCode).toBe(own);
      expect((await send("for-transactions", transaction, "transactions")).statusCode).toBe(202);
      expect((await send("the-one-for-labels", transaction, "transactions")).statusCode).toBe(
        labelToken === undefined ? 401 : 403,
      );
      expect(door.written).toHaveLength(own === 202 ? 2 : 1);
    });
  });

  describe.each([{ labels: undefined }, { labels: "the-one-for-labels" }])(
    "with people who label by name, and $labels beside them",
    ({ labels: shared }) => {
      const ADA = { name: "Ada Lovelace", token: "the-token-of-ada" };
      const GRACE = { name: "Grace Hopper", token: "the-token-of-grace" };
      const analysts = () => door.written.splice(0).map(({ value }) => FraudLabel.decode(value!).analyst);

      beforeEach(() => reopenFor({ transactions: "for-transactions", labels: shared, people: [ADA, GRACE] }));

      it("takes a label in the name of the token's owner, and in no other", async () => {
        for (const { name, token } of [ADA, GRACE]) {
          expect((await send(token, label, "labels")).statusCode).toBe(202);
          expect((await send(token, { ...label, analyst: name }, "labels")).statusCode).toBe(202);
          expect(analysts()).toEqual([name, name]);
        }
        const foreign = await send(ADA.token, { ...label, analyst: GRACE.name }, "labels");
        expect(conforms("/v1/labels", "post", foreign)).toMatchObject({
          status: 400,
          reason: "INVALID_VALUE",
          field: "analyst",
          detail: expect.stringContaining("this token is that of Ada Lovelace") as string,
        });
        const many = await send(ADA.token, [label, { ...label, analyst: GRACE.name }], "labels");
        expect(many.json()).toMatchObject({ accepted: 1, refused: 1 });
        expect(analysts()).toEqual([ADA.name]);
      });

      it("lets a client with the token for labels speak for others, and nobody else label or send transactions", async () => {
        expect((await send("the-one-for-labels", { ...label, analyst: "whoever" }, "labels")).statusCode).toBe(
          shared === undefined ? 401 : 202,
        );
        expect(analysts()).toEqual(shared === undefined ? [] : ["whoever"]);
        expect((await send("for-transactions", label, "labels")).statusCode).toBe(403);
        expect((await send(ADA.token, transaction, "transactions")).statusCode).toBe(403);
        expect((await send("the-token-of-eve!", label, "labels")).statusCode).toBe(401);
        expect(door.written).toEqual([]);
      });
    },
  );
});
