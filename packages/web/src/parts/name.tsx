import { plain } from './plain.ts';

const LONGEST = 500;

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
  return <bdi className="words">{children.split('\n').map(plain).join('\n')}</bdi>;
}
