import { Anchor } from '@mantine/core';
import { useState } from 'react';
import { plain } from './plain.ts';

const LONGEST = 500;
/** Longer words are shown whole when their reader wants them, so that one text does not push everything else away. */
const LONGEST_WORDS = 1_000;

/** A name that somebody else chose, shown as text whatever is in it. Whole on hover, up to what a tooltip can hold. */
export function Name({ children }: { readonly children: string }) {
  const text = plain(children.slice(0, LONGEST));
  return (
    <bdi className="name" title={children.length > 40 ? text : undefined}>
      {text}
    </bdi>
  );
}

/** Words that somebody else wrote, with their line breaks. */
export function Words({ children }: { readonly children: string }) {
  const [whole, setWhole] = useState(false);
  const isCut = !whole && children.length > LONGEST_WORDS;
  const text = isCut ? `${children.slice(0, LONGEST_WORDS)}…` : children;
  return (
    <>
      <bdi className="words">{text.split('\n').map(plain).join('\n')}</bdi>
      {isCut && (
        <>
          {' '}
          <Anchor component="button" type="button" fz="inherit" onClick={() => setWhole(true)}>
            Show all {children.length.toLocaleString()} characters
          </Anchor>
        </>
      )}
    </>
  );
}
