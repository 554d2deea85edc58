/*
 * What was asked for waits while its reader shows their key again, and then goes on: nobody loses what they typed because a
 * session ended or because an act needs a fresh confirmation.
 */

export type WhyKeyNeeded = 'expired' | 'confirm';

type AskForKey = (why: WhyKeyNeeded) => Promise<void>;

let ask: AskForKey | undefined;
const asked = new Map<WhyKeyNeeded, Promise<void>>();

/** Who shows the dialog. Gives a function that takes it away again. */
export function answerKeyNeeded(handler: AskForKey): () => void {
  ask = handler;
  return () => {
    ask = undefined;
  };
}

/** Resolves when the key was shown. Whoever asks meanwhile waits for the same answer. Rejects when the reader would rather not. */
export function keyNeeded(why: WhyKeyNeeded): Promise<void> {
  if (ask === undefined) return Promise.reject(new Error('Nobody is signed in.'));
  const waiting = asked.get(why);
  if (waiting !== undefined) return waiting;
  const answer = ask(why).finally(() => asked.delete(why));
  asked.set(why, answer);
  return answer;
}
