import type { Notice } from '../core/index.ts';
import { element } from './element.ts';

const NEEDED = ['title', 'text', 'accept', 'refuse', 'settings', 'save', 'close'];

/** The text of a name; where the jurisdiction has one of its own, such as `title_us_ca`, that; else the text of another name. */
export type Text = (name: string, otherwise?: string) => string;

export function textsOf({ texts, jurisdiction }: Notice): Text {
  const code = jurisdiction.code.replaceAll('-', '_');
  const find = (name: string) => texts[`${name}_${code}`] ?? texts[name];
  return (name, otherwise = '') => find(name) ?? find(otherwise) ?? '';
}

export function missingTexts(notice: Notice): readonly string[] {
  const text = textsOf(notice);
  return NEEDED.filter((name) => text(name) === '');
}

/** A blank and a link to the organization's privacy policy; nothing for an address that is no page. */
export function policyLink(text: Text): readonly (Node | string)[] {
  const href = text('policy_url');
  if (!text('policy') || !/^(https?:\/)?\//i.test(href)) return [];
  return [' ', element('a', { href, target: '_blank', rel: 'noopener' }, text('policy'))];
}
