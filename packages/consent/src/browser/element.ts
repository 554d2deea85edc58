type Content = Node | string | undefined | false;

/** Makes an element with attributes and contents. Texts stay texts: nothing that a notice says becomes markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...contents: readonly Content[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...contents.filter((content) => content !== undefined && content !== false));
  return made;
}

export function button(label: string, className: string, act: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', class: className }, label);
  made.addEventListener('click', act);
  return made;
}
