import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** The folder of this package. */
export const contractFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Wire descriptions that were released; `buf breaking` compares with them. */
export const baseline = join(contractFolder, 'proto', 'baseline.binpb');

/** The binary from the package of this platform, so that no install script has to have run. */
function bufBinary() {
  const root = dirname(require.resolve(`@bufbuild/buf-${process.platform}-${process.arch}/package.json`));
  const names = ['buf', 'buf.exe'].map((name) => join(root, 'bin', name));
  const found = names.find((name) => existsSync(name));
  if (found === undefined) throw new Error(`There is no buf in ${root}. Run npm install.`);
  return found;
}

/** Runs buf in this package. Throws what buf wrote when it fails. */
export function buf(...args) {
  const plugins = dirname(require.resolve('@bufbuild/protoc-gen-es/package.json'));
  const path = [dirname(process.execPath), join(plugins, 'bin'), process.env.PATH].join(delimiter);
  try {
    return execFileSync(bufBinary(), args, {
      cwd: contractFolder,
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
  } catch (error) {
    throw new Error(`buf ${args[0]} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

/** Writes the TypeScript of all protos into `folder`, which is emptied first. */
export function generate(folder) {
  const template = {
    version: 'v2',
    clean: true,
    plugins: [
      {
        local: 'protoc-gen-es',
        out: folder,
        opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
      },
    ],
  };
  buf('generate', '--template', JSON.stringify(template));
}
