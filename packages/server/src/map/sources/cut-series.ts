/** One entry of an answer, as its JSON text: the same series has the same text in each answer, so that it need not be read again. */
export interface Series {
  /** The labels, as a JSON object with texts. A part of a longer text: who keeps it, copies it. */
  readonly text: string;
  readonly value: number;
}

export interface SeriesCutter {
  /** The next part of the answer. */
  push(part: string): void;
  /** What is left of the answer without its series; undefined if they are not written as Prometheus writes them. */
  end(): string | undefined;
}

const BEGIN = '"result":[';
const METRIC = '{"metric":';
const VALUE = ',"value":[';

/**
 * Takes the series out of an answer one by one while it arrives. The whole answer as one tree of objects would be several
 * times as large. The marks cannot be part of a label's value: in there, a quote comes after a backslash.
 */
export function createSeriesCutter(onSeries: (series: Series) => void): SeriesCutter {
  let stage: 'before' | 'series' | 'after' | 'unreadable' = 'before';
  let rest = '';
  let pending = '';
  let enough = 0;

  function push(part: string): void {
    pending += part;
    // A text that is not complete yet is only looked at again when it has doubled, however long one label is.
    if (pending.length >= enough) look();
  }

  function look(): void {
    if (stage === 'before') {
      const begin = pending.indexOf(BEGIN);
      if (begin >= 0) {
        stage = 'series';
        leave(begin + BEGIN.length);
      }
    }
    if (stage === 'series') takeSeries();
    if (stage === 'after') leave(pending.length);
    enough = pending.length * 2;
  }

  function takeSeries(): void {
    const text = pending;
    let at = 0;
    while (text.startsWith(METRIC, at)) {
      const middle = text.indexOf(VALUE, at);
      const end = middle < 0 ? -1 : text.indexOf(']}', middle);
      // With the character behind it, which tells whether another one comes.
      if (end < 0 || end + 2 >= text.length) break;
      const value = /^[\d.e+]+,"([^"]*)"$/.exec(text.slice(middle + VALUE.length, end))?.[1];
      const next = text[end + 2];
      if (value === undefined || (next !== ',' && next !== ']')) {
        stage = 'unreadable';
        return;
      }
      onSeries({ text: text.slice(at + METRIC.length, middle), value: Number(value) });
      at = next === ',' ? end + 3 : end + 2;
    }
    pending = text.slice(at);
    if (!METRIC.startsWith(pending.slice(0, METRIC.length))) stage = 'after';
  }

  function leave(length: number): void {
    rest += pending.slice(0, length);
    pending = pending.slice(length);
  }

  return {
    push,
    end() {
      look();
      return stage === 'unreadable' ? undefined : rest + pending;
    },
  };
}
