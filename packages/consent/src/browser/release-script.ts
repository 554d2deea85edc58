/** Types of which browsers run a file and tell when it has run; `nomodule` and modules aside (HTML standard §4.12.1.1). */
const JAVASCRIPT = /^$|^(text|application)\/(x-)?(java|ecma)script$/i;

/**
 * Makes scripts run that were `type="text/plain"`. A script of an unknown type was not started yet (HTML standard §4.12.1.1), and
 * runs when it is put in again with its own type; but never if `innerHTML` made it. So a copy is put in its place, which does
 * in either case. Where the page enforces Trusted Types no script can be copied, and the element itself is put in again:
 * it keeps the trust that it has.
 */
export function scriptReleaser(trustedTypes: boolean, nonce: string) {
  let canCopy = !trustedTypes;

  function copyOf(script: HTMLScriptElement): HTMLScriptElement {
    const copy = document.createElement('script');
    for (const { name, value } of script.attributes) copy.setAttribute(name, value);
    copy.text = script.text;
    // What a policy hides of the attribute.
    copy.nonce = script.nonce;
    // Who waits for the file listens to the element that they made.
    for (const type of ['load', 'error'])
      copy.addEventListener(type, () => script.dispatchEvent(new Event(type)));
    return copy;
  }

  function replacementOf(script: HTMLScriptElement): HTMLScriptElement {
    if (canCopy)
      try {
        return copyOf(script);
      } catch {
        canCopy = false;
      }
    return script;
  }

  /**
   * Ends when the next may run: after a file has run or failed, as it is while a page is parsed. Notes what it puts in: that may
   * look as if it still waited. Throws for a script that lacks the nonce of the tag: a policy with `strict-dynamic` trusts whatever a
   * trusted script puts in, and would no longer stop what somebody smuggled into the page.
   */
  return async (
    script: HTMLScriptElement,
    src: string | undefined,
    released: WeakSet<Element>,
  ): Promise<void> => {
    if (nonce && script.nonce !== nonce) throw new Error('A script lacks the nonce.');
    const { parentNode, nextSibling, dataset } = script;
    const made = replacementOf(script);
    released.add(made);
    script.remove();
    made.type = dataset.type ?? '';
    if (src) made.src = src;
    const isAsync = made.hasAttribute('async');
    // Files and modules of a script run in the order in which they are put in.
    made.async = isAsync;
    const ended = new Promise((resolve) => {
      made.addEventListener('load', resolve);
      made.addEventListener('error', resolve);
    });
    parentNode?.insertBefore(made, nextSibling);
    if (made.src && !isAsync && !made.noModule && JAVASCRIPT.test(made.type)) await ended;
  };
}
