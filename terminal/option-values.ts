import { InvalidArgumentError } from "commander";

/**
 * A parser for options that must be whole numbers within bounds; commander puts the option's name before the message.
 */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A parser for options that name some of a few, with commas between. */
export function someOf<T extends string>(names: readonly T[]): (text: string) => readonly T[] {
  return (text) =>
    text.split(",").map((part) => {
      const found = names.find((name) => name === part.trim());
      if (found === undefined)
        throw new InvalidArgumentError(`There is no "${part.trim()}". Choose from ${names.join(", ")}.`);
      return found;
    });
}
