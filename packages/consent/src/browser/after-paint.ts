/** Ends when what was changed before is painted, so that nothing that runs then can hold that up; at once for a page that nobody sees. */
export function afterPaint(): Promise<unknown> {
  return new Promise((resolve) => {
    if (document.hidden) return resolve(undefined);
    document.addEventListener('visibilitychange', resolve, { once: true });
    // The first task after the callbacks of a frame is after its painting.
    requestAnimationFrame(() => setTimeout(resolve));
  });
}
