import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Files of built/; each has a source of its name in src/browser/. */
export const FILES = ['tag.js', 'headless.js'];

export const builtFolder = new URL('../built/', import.meta.url);

/** The text of one of them, as one script that defines nothing but `window.habeasConsent`. */
export function bundle(name: string): Promise<string> {
  return scriptOf(`browser/${name.replace('.js', '.ts')}`);
}

/** The text of the core as one script that defines a variable of this name. */
export function bundleCore(name: string): Promise<string> {
  return scriptOf('index.ts', name);
}

async function scriptOf(source: string, name?: string): Promise<string> {
  const entry = new URL(`../src/${source}`, import.meta.url);
  const build = await rolldown({ input: fileURLToPath(entry), transform: { target: 'es2020' } });
  try {
    const { output } = await build.generate({
      format: 'iife',
      minify: true,
      comments: false,
      ...(name !== undefined && { name }),
    });
    return output[0].code;
  } finally {
    await build.close();
  }
}
