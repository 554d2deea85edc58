import { byteText, readable } from '../byte-text.ts';
import { jsonValues } from '../json-walk.ts';

/** Makes a function that tells whether one of the texts of a list in JSON stands in a text; the list is mostly the same as before. */
export function createHasOne(): (text: string, list: string) => boolean {
  let before = '[]';
  let texts: readonly string[] = [];
  return (text, list) => {
    if (list !== before) {
      texts = JSON.parse(list);
      before = list;
    }
    return texts.some((one) => text.includes(one));
  };
}

/** The texts, numbers and booleans at a path in a text of JSON, as a text of JSON with a list of texts; null for what is no JSON. */
export function textsInside(json: string, path: readonly string[]): string | null {
  const bytes = byteText(json);
  const texts: string[] = [];
  try {
    for (const { from, to } of jsonValues(bytes, [path])) {
      const written = readable(bytes.slice(from, to));
      if (written.startsWith('"')) texts.push(JSON.parse(written));
      else if (written !== 'null') texts.push(withoutZeros(written));
    }
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  return JSON.stringify(texts);
}

function withoutZeros(number: string): string {
  return /^-?\d+\.\d*0$/.test(number) ? number.replace(/\.?0+$/, '') : number;
}
