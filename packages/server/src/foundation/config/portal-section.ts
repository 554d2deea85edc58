import { api } from '@habeas/contract';
import * as z from 'zod';
import { httpUrl } from './values.ts';

/** The pages on which people ask by themselves; there where `intake` is. */
export const portalSection = z.strictObject({
  /** What people can ask for, in this order. */
  rights: z
    .array(api.rightSchema)
    .min(1)
    .default(['access', 'portability', 'rectification', 'erasure', 'restriction', 'objection']),
  /** Of buttons, with white letters on it. */
  color: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/, 'a color such as #1d4f91')
    .refine(
      isReadable,
      'a darker color: white letters on it cannot be read (WCAG 2.2, 1.4.3: a contrast of 4.5)',
    )
    .default('#1d4f91'),
  /** An SVG or PNG file, relative to the configuration. (Default: the name of the organization) */
  logo: z
    .string()
    .regex(/\.(svg|png)$/, 'an .svg or .png file')
    .optional(),
  /** The organization's own notice about its processing. */
  notice: httpUrl.optional(),
  /** Sites that may show the pages in a frame, such as https://www.acme.example. */
  frames: z
    .array(
      z.string().regex(/^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/, 'an origin such as https://www.acme.example'),
    )
    .default([]),
});

/** Relative luminance (WCAG 2.2) against white. */
function isReadable(color: string): boolean {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= 4.5;
}
