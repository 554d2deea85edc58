import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { type Page, proseLines, ROOT, readPage } from './pages.ts';

/** Links of a page that lead nowhere, as `path:line: target: why`. Links to other hosts are not followed. */
export function brokenLinks(page: Page): readonly string[] {
  return linksOf(page).flatMap(({ line, target }) => {
    const why = whyBroken(page, target);
    return why === undefined ? [] : [`${page.path}:${line}: ${target}: ${why}`];
  });
}

interface Link {
  readonly line: number;
  readonly target: string;
}

/** All links and images outside code. */
export function linksOf(page: Page): readonly Link[] {
  return proseLines(page).flatMap(({ line, text }) => {
    const prose = text.replace(/`[^`]*`/g, '``');
    const inline = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)];
    const defined = [...prose.matchAll(/^\s*\[[^\]]+\]:\s*(\S+)/g)];
    return [...inline, ...defined].map(([, target = '']) => ({ line, target }));
  });
}

function whyBroken(page: Page, target: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined;
  const [path = '', fragment] = target.split('#');
  const file = path === '' ? page.path : normalize(join(dirname(page.path), decodeURI(path)));
  if (path !== '' && !existsSync(join(ROOT, file))) return `${file} is not there`;
  if (fragment === undefined) return undefined;
  if (!file.endsWith('.md')) return 'only pages have headings to link to';
  const other = path === '' ? page : readPage(file);
  return headingSlugs(other).includes(fragment) ? undefined : `${file} has no such heading`;
}

/** The anchors that GitHub gives to the headings of a page. */
export function headingSlugs(page: Page): readonly string[] {
  const seen = new Map<string, number>();
  return proseLines(page).flatMap(({ text }) => {
    const [, heading] = /^#{1,6}\s+(.*?)\s*#*$/.exec(text) ?? [];
    if (heading === undefined) return [];
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return [count === 0 ? slug : `${slug}-${count}`];
  });
}
