/** Shades of Mantine's colours that lines and marks are told from the page by (WCAG 1.4.11: 3 to 1), in light and in dark. */
export const LINE_SHADES = { light: 9, dark: 4 } as const;

/** A colour of the theme as lines, borders and marks have it. No yellow is dark enough: orange stands for it. */
export function lineColor(color: string): string {
  const name = color === 'yellow' ? 'orange' : color;
  const shade = (scheme: keyof typeof LINE_SHADES) => `var(--mantine-color-${name}-${LINE_SHADES[scheme]})`;
  return `light-dark(${shade('light')}, ${shade('dark')})`;
}
