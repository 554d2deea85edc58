/** Does it at the first call; every call gets its answer. */
export function once<Result>(act: () => Promise<Result>): () => Promise<Result> {
  let done: Promise<Result> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}
