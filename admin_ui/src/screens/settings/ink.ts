const channel = (part: string) => {
  const value = parseInt(part, 16) / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};

/** Black or white, whichever reads better on `ground` (`#rrggbb`): what the store's pages write with, by WCAG's relative luminance. */
export function ink(ground: string): "#ffffff" | "#000000" {
  const [r = 0, g = 0, b = 0] = [ground.slice(1, 3), ground.slice(3, 5), ground.slice(5, 7)].map(channel);
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
}
