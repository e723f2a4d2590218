import { expect, it } from "vitest";

import { shown } from "../statefun/shown.js";
import { visible } from "../terminal/visible.js";

it("What does not show is written out alike by the SDK's messages and on a terminal, where a tab may stay", () => {
  const differ: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const one = String.fromCodePoint(code);
    if (shown(one) !== visible(one)) differ.push(one);
  }
  expect(differ).toEqual(["\t"]);
});
