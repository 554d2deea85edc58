/** An element of XML, or the document itself with the name ''. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  /** Its own text and that of all below it. */
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const TOKEN = /<\?[^?]*\?>|<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
/** What XML 1.0 forbids even as a reference. */
const FORBIDDEN = /[\p{Cs}\ufffe\uffff]|(?![\t\n\r])\p{Cc}/u;

/** A strict reader of the XML that the project writes; throws at the first place that is not well formed. */
export function readXml(text: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const bad = FORBIDDEN.exec(text);
  if (bad !== null) throw new Error(`a forbidden character at ${bad.index}`);
  let at = 0;
  for (const token of text.matchAll(TOKEN)) {
    if (token.index !== at) break;
    at += token[0].length;
    const [, slash, name, attributes = '', isEmpty, words] = token;
    if (words !== undefined) for (const element of open) element.text += decode(words);
    if (name === undefined) continue;
    if (slash === '/') {
      if (open.length === 1 || open.pop()?.name !== name)
        throw new Error(`a wrong end of ${name} at ${token.index}`);
      continue;
    }
    const element: XmlElement = { name, attributes: attributesOf(attributes), children: [], text: '' };
    open.at(-1)?.children.push(element);
    if (isEmpty === '') open.push(element);
  }
  if (at !== text.length || open.length !== 1)
    throw new Error(`not well formed at ${at}: ${text.slice(at, at + 40)}`);
  return root;
}

/** All elements of a name, at any depth. */
export function elementsOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...elementsOf(child, name),
  ]);
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decode(value)]),
  );
}

function decode(text: string): string {
  return text.replaceAll(/&([^;\s]*;?)/g, (whole, name: string) => {
    const found = ENTITIES[name.replace(/;$/, '')];
    if (found === undefined || !name.endsWith(';')) throw new Error(`an unknown entity ${whole}`);
    return found;
  });
}
