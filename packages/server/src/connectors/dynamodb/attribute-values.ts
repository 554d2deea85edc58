/** A value as DynamoDB's protocol has it: `{ "S": "ann" }`. */
export type AttributeValue = Readonly<Record<string, unknown>>;
export type AttributeMap = Readonly<Record<string, AttributeValue>>;

/** A value as people read it. A number that JavaScript would round stays the text that it is. */
export function plainValue(value: AttributeValue): unknown {
  const [[kind, content] = ['NULL', true]] = Object.entries(value);
  switch (kind) {
    case 'N':
      return plainNumber(content);
    case 'NULL':
      return null;
    case 'B':
      return { base64: content };
    case 'BS':
      return listOf(content).map((base64) => ({ base64 }));
    case 'NS':
      return listOf(content).map(plainNumber);
    case 'L':
      return listOf(content).map((one) => plainValue(one as AttributeValue));
    case 'M':
      return plainItem(content as AttributeMap);
    default:
      return content;
  }
}

export function plainItem(item: AttributeMap): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));
}

/** What stands at a path, to be compared: numbers by their digits; each element of a set or list. */
export function* textsAt(value: AttributeValue | undefined, path: readonly string[]): Iterable<unknown> {
  if (value === undefined) return;
  const [[kind, content] = ['NULL', true]] = Object.entries(value);
  if (kind === 'L') {
    for (const one of listOf(content)) yield* textsAt(one as AttributeValue, path);
    return;
  }
  const [name, ...rest] = path;
  if (name !== undefined) {
    if (kind === 'M') yield* textsAt((content as AttributeMap)[name], rest);
  } else if (kind === 'SS' || kind === 'NS') yield* listOf(content);
  else if (kind === 'S' || kind === 'N' || kind === 'BOOL') yield content;
}

function plainNumber(content: unknown): number | string {
  const text = String(content);
  return String(Number(text)) === text ? Number(text) : text;
}

function listOf(content: unknown): readonly unknown[] {
  return Array.isArray(content) ? content : [];
}
