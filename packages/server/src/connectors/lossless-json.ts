const LONG_DIGITS = /\d{16}/;

/**
 * Parses JSON and keeps numbers that a double cannot hold, such as 64-bit keys, as the text that stood there. Throws a SyntaxError
 * whose text quotes the input.
 */
export function parseLossless(text: string): unknown {
  // Looking at every value costs several times as much as parsing, and few answers have such numbers.
  return LONG_DIGITS.test(text) ? JSON.parse(text, keepLongNumbers) : JSON.parse(text);
}

function keepLongNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  return sameNumber(source, value) ? value : source;
}

/** Whether the double stands for exactly what the source says: compared as decimal digits and exponent. */
function sameNumber(source: string, value: number): boolean {
  const given = normal(source);
  const held = normal(String(value));
  return given !== undefined && held !== undefined && given === held;
}

/** `-12.50e3` → `-125e2`: one spelling per number. */
function normal(number: string): string | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number);
  if (parts === null) return undefined;
  const fraction = parts[3] ?? '';
  const digits = `${parts[2]}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  const exponent = Number(parts[4] ?? 0) - fraction.length + (digits.length - trimmed.length);
  return trimmed === '' ? '0' : `${parts[1]}${trimmed}e${exponent}`;
}
