/** Ends when what was changed before is painted, so that nothing that runs then can hold that up; at once for a page that nobody sees. */
export function afterPaint(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => resolve();
    if (document.hidden) return done();
    document.addEventListener('visibilitychange', done, { once: true });
    // The first task after the callbacks of a frame is after its painting.
    requestAnimationFrame(() => setTimeout(done));
  });
}
