/** What allows the style elements of this page; a browser hides it from the attribute, so that styles cannot read it. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

// The part that keeps the page behind a dialog from scrolling reads it from here (get-nonce).
Object.assign(globalThis, { __webpack_nonce__: nonce });
