/**
 * Cuts bytes into lines of text as they come, whatever the borders of chunks. A line longer than `longest` UTF-16 units
 * comes out cut off at `longest + 1`, so that no page can make it hold more.
 */
export interface TextLines {
  push(bytes: Uint8Array): void;
  /** Gives the last line, if the text did not end with a line break, and says whether it was so. */
  end(): { readonly cutOff: boolean };
}

export function createTextLines(options: {
  readonly longest: number;
  readonly onLine: (line: string) => void;
}): TextLines {
  const decoder = new TextDecoder();
  let rest = '';

  function take(text: string): void {
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      options.onLine(append(text.slice(from, to)));
      rest = '';
      from = to + 1;
    }
    rest = append(text.slice(from));
  }

  function append(text: string): string {
    const room = options.longest + 1 - rest.length;
    return text.length > room ? rest + text.slice(0, room) : rest + text;
  }

  return {
    push: (bytes) => take(decoder.decode(bytes, { stream: true })),
    end() {
      take(decoder.decode());
      const cutOff = rest !== '';
      if (cutOff) options.onLine(rest);
      rest = '';
      return { cutOff };
    },
  };
}
