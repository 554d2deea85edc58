import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Files of built/; each has a source of its name in src/browser/. */
export const FILES = ['tag.js', 'headless.js'];

export const builtFolder = new URL('../built/', import.meta.url);

/** The text of one of them, as one script that defines nothing but `window.habeasConsent`. */
export async function bundle(name: string): Promise<string> {
  const entry = new URL(`../src/browser/${name.replace('.js', '.ts')}`, import.meta.url);
  const build = await rolldown({ input: fileURLToPath(entry), transform: { target: 'es2020' } });
  try {
    const { output } = await build.generate({ format: 'iife', minify: true, comments: false });
    return output[0].code;
  } finally {
    await build.close();
  }
}
