/** A path template of google.api.http, such as `/v1/operations/{name}`. */
export interface PathTemplate {
  /** How many characters of it stand for themselves: of two that fit a path, the one with more says more exactly what is meant. */
  readonly literals: number;
  /** The values of the template's variables by field path, decoded; undefined when the path does not fit. */
  match(path: string): Readonly<Record<string, string>> | undefined;
}

/** Throws a TypeError for a template that breaks the syntax of google/api/http.proto. */
export function parsePathTemplate(template: string): PathTemplate {
  const variables: { readonly field: string; readonly single: boolean }[] = [];
  let source = '';
  let rest = template;
  while (rest !== '') {
    const variable = /^\{([\w.]+)(?:=([^{}]+))?\}/.exec(rest);
    if (variable !== null) {
      const segments = variable[2] ?? '*';
      variables.push({ field: variable[1] ?? '', single: !segments.includes('/') && segments !== '**' });
      source += `(${wildcards(segments)})`;
      rest = rest.slice(variable[0].length);
      continue;
    }
    const literal = /^(?:\*\*?|[^{}*]+)/.exec(rest);
    if (literal === null) throw new TypeError(`"${template}" is not a path template of google.api.http.`);
    source += wildcards(literal[0]);
    rest = rest.slice(literal[0].length);
  }
  const pattern = new RegExp(`^${source}$`);
  const literals = template.replace(/\{[^{}]*\}|\*/g, '').length;
  return {
    literals,
    match(path) {
      const found = pattern.exec(path);
      if (found === null) return undefined;
      try {
        return Object.fromEntries(
          variables.map(({ field, single }, index) => [field, decode(found[index + 1] ?? '', single)]),
        );
      } catch {
        // An escape that stands for no character fits no resource.
        return undefined;
      }
    },
  };
}

function wildcards(segments: string): string {
  return segments
    .split(/(\*\*?)/)
    .map((part) => {
      if (part === '**') return '.*';
      if (part === '*') return '[^/]+?';
      return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
}

function decode(text: string, single: boolean): string {
  if (single) return decodeURIComponent(text);
  // Several segments: an escaped slash stays escaped, so that it is not taken for the end of a segment.
  return text
    .split(/(%2f)/i)
    .map((part) => (/^%2f$/i.test(part) ? part : decodeURIComponent(part)))
    .join('');
}
