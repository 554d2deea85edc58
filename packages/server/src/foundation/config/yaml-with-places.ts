import { isMap, LineCounter, type Node, parseDocument } from 'yaml';
import type * as z from 'zod';
import { HabeasError, type SourcePlace } from '../errors.ts';

export type PlaceOf = (path: readonly PropertyKey[]) => SourcePlace;

/** Parses YAML and keeps, for each path into the value, the line that it came from. */
export function parseYamlWithPlaces(
  text: string,
  file: string,
  code: 'CONFIG_INVALID' | 'DATASET_INVALID' | 'POLICY_INVALID' | 'RECORD_INVALID',
): { readonly value: unknown; readonly placeOf: PlaceOf } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const place = (offset: number | undefined): SourcePlace => {
    if (offset === undefined) return { file };
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const first = document.errors[0];
  if (first !== undefined) {
    const at = place(first.pos[0]);
    throw new HabeasError(code, `${formatPlace(at)}: not valid YAML (${first.code}).`, { place: at });
  }
  const placeOf: PlaceOf = (path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const parent = document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      if (isMap(parent) && last !== undefined) {
        const pair = parent.items.find(
          (item) => String((item.key as Node & { value?: unknown })?.value ?? item.key) === String(last),
        );
        const range = (pair?.key as Node | undefined)?.range;
        if (range) return place(range[0]);
      }
      const node = document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return place(node.range[0]);
    }
    return { file };
  };
  return { value: document.toJS({ maxAliasCount: 100 }), placeOf };
}

/** All that is wrong in one error, each with its line. */
export function fromZodError(
  error: z.ZodError,
  options: {
    readonly code: 'CONFIG_INVALID' | 'DATASET_INVALID' | 'POLICY_INVALID' | 'RECORD_INVALID';
    readonly placeOf: PlaceOf;
  },
): HabeasError {
  const details = error.issues.map((issue) => {
    const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const at = options.placeOf([...issue.path, ...unknownKey]);
    return `${formatPlace(at)}: ${issue.path.join('.') || 'the file'}: ${issue.message}`;
  });
  const firstPath = error.issues[0]?.path ?? [];
  return new HabeasError(options.code, details.join('\n'), { details, place: options.placeOf(firstPath) });
}

/** `file:line:column`, the way editors and terminals make it a link. */
export function formatPlace(place: SourcePlace): string {
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
}
