import { resolve } from 'node:path';
import type { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { type CliContext, clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { count } from '../option-values.ts';
import type { Run } from '../verb.ts';

interface ExportOptions extends ServerOptions {
  readonly purpose: string;
  readonly identity: string;
  readonly format: api.ExportConsent['format'];
  readonly validHours: number;
}

interface CheckOptions {
  readonly organization: string;
  readonly purpose: string;
  readonly identity: string;
  readonly publicKey: readonly string[];
  readonly json?: true;
}

const PURPOSE = ['--purpose <code>', 'code of the purpose'] as const;
const IDENTITY = ['--identity <type>', 'identity type by which the engine names people'] as const;

/** `habeas consent export` and `habeas consent check-export`: for engines that run no SQL of PostgreSQL. */
export function consentExportVerb(consent: Command, run: Run): void {
  withServerOptions(
    consent
      .command('export')
      .description(
        'write who agreed to a purpose, or refused it, to a file with a signed manifest that expires',
      )
      .argument('<file>', 'to write; the manifest gets its name and .manifest.json')
      .requiredOption(...PURPOSE)
      .requiredOption(...IDENTITY)
      .addOption(
        new Option('--format <format>', 'a list, or a filter of those who refused')
          .choices(['parquet', 'bloom'])
          .default('parquet'),
      )
      .option('--valid-hours <n>', 'how long it may be used', count, 24),
  ).action((file: string, options: ExportOptions) => run((context) => exportTo(context, file, options)));

  consent
    .command('check-export')
    .description('prove that an export is whole, signed, of this purpose, and not expired')
    .argument('<file>', 'with its manifest beside it')
    .requiredOption('--organization <key>', 'whose it has to be')
    .requiredOption(...PURPOSE)
    .requiredOption(...IDENTITY)
    .requiredOption('--public-key <x...>', 'public keys that are trusted (base64url)')
    .option('--json', 'print JSON for programs')
    .action((file: string, options: CheckOptions) => run((context) => check(context, file, options)));
}

async function exportTo(context: CliContext, file: string, options: ExportOptions) {
  const client = clientFor(context, options);
  const path = resolve(context.folder, file);
  const response = await client.exportConsent({
    purpose: options.purpose,
    identity_type: options.identity,
    format: options.format,
    valid_seconds: options.validHours * 3_600,
  });
  const { saveConsentExport } = await import('../save-consent-export.ts');
  const { manifest } = await saveConsentExport({
    body: response.body,
    manifest: () => client.getConsentExport(response.headers.get('habeas-export-id') ?? ''),
    file: path,
  });
  print(context, options, {
    json: manifest,
    lines: () => [
      `${manifest.count} people who ${manifest.lists === 'granted' ? 'agreed' : 'refused'}, as of ${manifest.as_of}, until ${manifest.expires_at}: ${file}`,
    ],
  });
  return 'done' as const;
}

async function check(context: CliContext, file: string, options: CheckOptions) {
  const { ConsentExportError, openConsentExport } = await import('@habeas/contract/consent-export');
  try {
    const { lists, format, asOf, expiresAt } = await openConsentExport({
      file: resolve(context.folder, file),
      organization: options.organization,
      purpose: options.purpose,
      identityType: options.identity,
      publicKeys: options.publicKey,
    });
    print(context, options, {
      json: { lists, format, as_of: asOf.toISOString(), expires_at: expiresAt.toISOString() },
      lines: () => [
        `Those who ${lists === 'granted' ? 'agreed' : 'refused'}, as of ${asOf.toISOString()}, until ${expiresAt.toISOString()}.`,
      ],
    });
    return 'done' as const;
  } catch (error) {
    if (!(error instanceof ConsentExportError)) throw error;
    context.terminal.note(`${error.message}\n`);
    return 'failed' as const;
  }
}
