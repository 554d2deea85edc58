import { looksPersonal } from '@habeas/contract/declarations';

/**
 * A name or a reason as a service told it, for evidence, receipts and the names of files, which hold no personal data. A text that
 * looks like some is withheld, because the call itself did its work; the team is told by what stands there instead.
 */
export function toldText(text: string): string {
  const kind = looksPersonal(text);
  return kind === undefined ? text : `withheld (it looked like ${kind})`;
}
