import type { Identity } from '../../catalog/index.ts';
import type { LineField, LineForm } from './compile-logs.ts';
import { isWordByte } from './is-boundary.ts';

/** One way in which a line may name a person. */
export interface Needle {
  readonly identity: Identity;
  /** What stands in the line: the value, with what the form has around it. */
  readonly bytes: Buffer;
  /** Where in `bytes` the value begins and ends. */
  readonly from: number;
  readonly to: number;
  /** Whether the case of ASCII letters counts. */
  readonly exact: boolean;
  /** Whether something longer could go on at either end. */
  readonly looksBefore: boolean;
  readonly looksAfter: boolean;
  /** Punctuation of the value itself: it joins, such as the colons of an address. */
  readonly own: ReadonlySet<number>;
  /** Of a JSON line: the member that has to have this value. */
  readonly member: { readonly path: readonly string[]; readonly value: string } | undefined;
}

/** Every way in which these identities may be written in a line. */
export function needlesOf(fields: readonly LineField[], identities: readonly Identity[]): readonly Needle[] {
  const needles = new Map<string, Needle>();
  for (const field of fields) {
    for (const { type, value } of identities) {
      if (type !== field.type) continue;
      for (const form of field.forms)
        for (const needle of needlesFor(form, { value, type, match: field.match }))
          needles.set(
            `${JSON.stringify([type, value])} ${needle.bytes.toString('latin1')} ${form.kind} ${needle.member?.path.join('.')}`,
            needle,
          );
    }
  }
  return [...needles.values()];
}

interface Named {
  readonly value: string;
  readonly type: string;
  readonly match: LineField['match'];
}

function needlesFor(form: LineForm, named: Named): readonly Needle[] {
  switch (form.kind) {
    case 'anywhere':
      // An empty text is everywhere.
      return writtenInText(named).flatMap((text) =>
        text === '' ? [] : [needleOf({ before: '', text, after: '' }, named)],
      );
    case 'template':
      return writtenInText(named).map((text) =>
        needleOf({ before: form.before, text, after: form.after }, named),
      );
    case 'member':
      return writtenInJson(named.value).map((text) => ({
        ...needleOf({ before: '', text, after: '' }, named),
        member: { path: form.path, value: named.value },
      }));
    default:
      return form satisfies never;
  }
}

function needleOf(
  parts: { readonly before: string; readonly text: string; readonly after: string },
  named: Named,
): Needle {
  const before = Buffer.from(parts.before);
  const value = Buffer.from(parts.text);
  const bytes = Buffer.concat([before, value, Buffer.from(parts.after)]);
  return {
    identity: { type: named.type, value: named.value },
    bytes,
    from: before.length,
    to: before.length + value.length,
    exact: named.match === 'exact',
    looksBefore: parts.before === '' ? true : isWordByte(bytes[0]),
    looksAfter: parts.after === '' ? true : isWordByte(bytes.at(-1)),
    own: new Set([...value].filter((byte) => !isWordByte(byte) && byte > 32)),
    member: undefined,
  };
}

/** A value as text has it: composed and decomposed, escaped for JSON and for addresses, and telephone numbers as they are dialled. */
function writtenInText({ value, type }: Named): readonly string[] {
  const plain = [
    ...new Set([value, value.normalize('NFC'), value.normalize('NFD'), ...dialled(value, type)]),
  ];
  const forms = plain.flatMap((text) => {
    const address = encodeURIComponent(text.isWellFormed() ? text : '');
    return [
      text,
      JSON.stringify(text).slice(1, -1),
      asciiJson(text),
      ...(address === '' ? [] : [address, lowerHex(address)]),
    ];
  });
  return [...new Set(forms)];
}

/** `+49 30 …` is written with 00 or without anything in front as well (E.164, E.123). */
function dialled(value: string, type: string): readonly string[] {
  const [, digits] = /^\+(\d{7,15})$/.exec(value) ?? [];
  return type === 'phone_number' && digits !== undefined ? [`00${digits}`, digits] : [];
}

function writtenInJson(value: string): readonly string[] {
  const texts = [value, value.normalize('NFC'), value.normalize('NFD')].flatMap((text) => [
    JSON.stringify(text),
    `"${asciiJson(text)}"`,
  ]);
  const isBare = /^(-?(0|[1-9]\d{0,30})|true|false)$/.test(value);
  return [...new Set([...texts, ...(isBare ? [value] : [])])];
}

function asciiJson(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function lowerHex(text: string): string {
  return text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}
