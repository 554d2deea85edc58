import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HabeasError } from '../../foundation/errors.ts';

/** What the demonstration needs of the example company; `examples/acme/index.ts` of the project fits. */
export interface ExampleModule {
  startAcme(options: {
    readonly folder: string;
    readonly shopDatabaseUrl: string;
    readonly people?: number;
    readonly habeasPublicKeys: readonly string[];
    readonly fresh?: boolean;
  }): Promise<ExampleCompany>;
  followTraces(company: ExampleCompany, subject: ExampleSubject): Promise<ExampleTraces>;
  /** What these people agreed to and refused before Habeas came: lines of JSON, one or two for each who said something. */
  choicesOf(numbers: readonly number[]): readonly string[];
}

/** The running company. */
export interface ExampleCompany {
  readonly services: readonly unknown[];
  readonly shopDatabaseUrl: string;
  /** A page with the mails that its people get. */
  readonly mailsUrl: string;
  /** What the company's `habeas.yaml` reads. */
  readonly environment: Readonly<Record<string, string>>;
  subject(n: number): ExampleSubject;
  folderOf(name: 'accounts' | 'orders' | 'mailer' | 'analytics'): string;
  stop(): Promise<void>;
}

export interface ExampleSubject {
  readonly email: string;
  readonly userId: string;
  readonly identities: readonly { readonly type: string; readonly value: string }[];
}

export interface ExampleTraces {
  look(): Promise<readonly ExampleTrace[]>;
}

/** What one place of one store holds of a person. */
export interface ExampleTrace {
  readonly store: string;
  readonly place: string;
  /** Records that hold an identifier of the person or point at one that does. */
  readonly pointing: number;
  /** Records that stay without pointing at the person. */
  readonly kept: number;
}

/** The folder of the example in a checkout of the project. */
export const EXAMPLE_FOLDER = fileURLToPath(new URL('../../../../../examples/acme/', import.meta.url));

/** The example company. It is part of the project and not of the published package: throws NOT_FOUND there. */
export async function loadExample(): Promise<ExampleModule> {
  const file = new URL('../../../../../examples/acme/index.ts', import.meta.url);
  if (!existsSync(file)) {
    throw new HabeasError(
      'NOT_FOUND',
      'The example company is not here: it comes with the source of Habeas. Clone the project and type `npm start`.',
    );
  }
  const found: unknown = await import(file.href);
  if (isExample(found)) return found;
  throw new HabeasError('INTERNAL', 'The example company is of another version than this command.');
}

function isExample(value: unknown): value is ExampleModule {
  return (
    typeof value === 'object' &&
    value !== null &&
    'startAcme' in value &&
    typeof value.startAcme === 'function' &&
    'followTraces' in value &&
    typeof value.followTraces === 'function' &&
    'choicesOf' in value &&
    typeof value.choicesOf === 'function'
  );
}
