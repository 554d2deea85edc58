/** A name that somebody else chose, shown as text whatever is in it. Whole on hover, up to what a tooltip can hold. */
export function Name({ children }: { readonly children: string }) {
  return (
    <bdi className="name" title={children.length > 40 ? children.slice(0, 500) : undefined}>
      {children.slice(0, 500)}
    </bdi>
  );
}

/** Words that somebody else wrote, with their line breaks. */
export function Words({ children }: { readonly children: string }) {
  return <bdi className="words">{children}</bdi>;
}
