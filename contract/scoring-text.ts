// Imports nothing: the web app's pages have it too.

/** Certainty, in millionths, as the text of one decimal has it. */
const NEARLY_CERTAIN_PPM = 999_500;

/** A model's probability, such as `12.4 %`: one decimal, two below 1 %. */
export function probabilityText(ppm: number): string {
  if (ppm < 100) return "under 0.01 %";
  if (ppm >= NEARLY_CERTAIN_PPM) return "over 99.9 %";
  return `${(ppm / 10_000).toFixed(ppm < 10_000 ? 2 : 1)} %`;
}

/** With its sign, such as `+12` and `−12`. */
export const signed = (value: number): string => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");
