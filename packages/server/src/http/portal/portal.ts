import type { api } from '@habeas/contract';
import type { Language, PortalTexts } from '../../notify/index.ts';

/** Where the pages are, below the server's public address. */
export const PORTAL_PATH = '/privacy';

/** What the organization says of its pages for people. */
export interface Portal {
  readonly texts: PortalTexts;
  /** What people can ask for, in this order. */
  readonly rights: readonly api.Right[];
  /** Against what they can object. */
  purposes(language: Language): readonly { readonly code: string; readonly name: string }[];
  /** Whether people have choices about what data is used for. */
  readonly choices: boolean;
  /** `#rrggbb`; white letters can be read on it. */
  readonly color: string;
  readonly logo: { readonly type: string; readonly bytes: Buffer } | undefined;
  /** The organization's own notice. */
  readonly notice: string | undefined;
  /** Origins that may show the pages in a frame. */
  readonly frames: readonly string[];
  /** Origin of the sign-in of people, which stands for the code; undefined: there is none. */
  readonly signIn: string | undefined;
}
